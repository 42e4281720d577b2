"""Faults of processes: ended, stopped, started with another clock, asked to hand over."""

import time

from chaoslib.fault import Fault
from clusterlib.connection import Connection, Unreachable


class KillOne(Fault):
    kind = "kill -9: one"
    seconds = (0.0, 5.0)

    def begin(self):
        one = self.random.choice(self.ids)
        self.cluster.kill(one)
        return one


class KillLeader(Fault):
    kind = "kill -9: the leader"
    seconds = (0.0, 5.0)

    def begin(self):
        leader = self.cluster.likely_leader() or self.random.choice(self.ids)
        self.cluster.kill(leader)
        return leader


class KillLeaders(Fault):
    kind = "kill -9: one leader after the other"
    seconds = (4.0, 10.0)

    def begin(self):
        self.next = 0.0
        return "whoever leads, and the former one is started again"

    def hold(self):
        if time.monotonic() < self.next:
            return
        for id in self.cluster.stopped():
            self.cluster.start(id)
        if leader := self.cluster.likely_leader():
            self.cluster.kill(leader)
        self.next = time.monotonic() + self.random.uniform(0.1, 2.0)


class KillMajority(Fault):
    kind = "kill -9: a majority"
    seconds = (0.0, 3.0)

    def begin(self):
        some = self.random.sample(self.ids, len(self.ids) // 2 + 1)
        for id in some:
            self.cluster.kill(id)
        return " ".join(some)


class KillAll(Fault):
    kind = "kill -9: all"
    seconds = (0.0, 2.0)

    def begin(self):
        for id in self.ids:
            self.cluster.kill(id)
        return "all at once"


class KillAtStart(Fault):
    kind = "kill -9: while it starts"
    seconds = (1.0, 4.0)

    def begin(self):
        self.one = self.random.choice(self.ids)
        self.cluster.kill(self.one)
        return f"{self.one}, again and again"

    def hold(self):
        self.cluster.start(self.one)
        time.sleep(self.random.uniform(0, 0.3))
        self.cluster.kill(self.one)


class Terminate(Fault):
    kind = "SIGTERM: one"
    goes_with_others = False
    seconds = (0.0, 3.0)

    def begin(self):
        one = self.leader_or_any()
        status = self.cluster.terminate(one)
        if status != 0:
            self.chaos.report.violation("SIGTERM ends a node with status 0", f"{one}: {status}")
        return one


class RollingRestart(Fault):
    kind = "SIGTERM: each in turn"
    goes_with_others = False
    seconds = (0.0, 0.5)

    def begin(self):
        for id in self.random.sample(self.ids, len(self.ids)):
            status = self.cluster.terminate(id)
            if status != 0:
                self.chaos.report.violation("SIGTERM ends a node with status 0", f"{id}: {status}")
            self.cluster.start(id)
            self.cluster.await_ready([id], 60)
        return "all of them"


class Pause(Fault):
    kind = "SIGSTOP: a minority"
    seconds = (0.3, 10.0)

    def begin(self):
        self.some = [self.leader_or_any()] if self.random.random() < 0.6 else self.minority()
        for id in self.some:
            self.cluster.pause(id)
        return " ".join(self.some)

    def end(self):
        for id in self.some:
            self.cluster.resume(id)


class PauseAll(Fault):
    kind = "SIGSTOP: all"
    seconds = (0.5, 6.0)

    def begin(self):
        for id in self.ids:
            self.cluster.pause(id)
        return "all, and they go on one after the other"

    def end(self):
        for id in self.random.sample(self.ids, len(self.ids)):
            self.cluster.resume(id)
            time.sleep(self.random.choice([0, 0.05, 0.5]))


class Stutter(Fault):
    kind = "SIGSTOP: again and again"
    seconds = (3.0, 8.0)

    def begin(self):
        self.one = self.leader_or_any()
        return self.one

    def hold(self):
        self.cluster.pause(self.one)
        time.sleep(self.random.uniform(0.05, 0.7))
        self.cluster.resume(self.one)

    def end(self):
        self.cluster.resume(self.one)


class Clock(Fault):
    kind = "clock set"
    seconds = (0.0, 1.0)

    @classmethod
    def is_possible(cls, chaos):
        return chaos.has_clock_offset

    def begin(self):
        self.one = self.leader_or_any()
        offset = self.random.choice([-300, -90, -5, -1, 0, 0, 1, 5, 90, 300])
        self.cluster.kill(self.one)
        self.cluster.clock_offsets[self.one] = offset
        return f"{self.one}'s clock is off by {offset:+d} s from its next start on"


class Transfer(Fault):
    kind = "leadership handed over"
    seconds = (1.0, 4.0)

    def begin(self):
        self.count = 0
        return "again and again"

    def hold(self):
        leader = self.cluster.likely_leader()
        if not leader:
            return
        connection = Connection(self.cluster.api[leader], 3)
        try:
            connection.request("POST", "/v1/cluster/transfer?timeout=2s")
            self.chaos.report.count("leadership transfers asked for")
        except Unreachable:
            self.chaos.report.count("leadership transfers without an answer")
        finally:
            connection.close()


class Drain(Fault):
    kind = "worker drained"
    goes_with_others = False
    seconds = (1.0, 6.0)

    def begin(self):
        self.one = self.random.choice(self.ids)
        self.ask("drain")
        return self.one

    def ask(self, verb):
        for id in self.random.sample(self.ids, len(self.ids)) * 5:
            connection = Connection(self.cluster.api[id], 8)
            try:
                if connection.request("POST", f"/v1/workers/{self.one}/{verb}?timeout=5s").status < 500:
                    return
            except Unreachable:
                continue
            finally:
                connection.close()

    def end(self):
        self.ask("undrain")


PROCESS_FAULTS = [
    KillOne, KillLeader, KillLeaders, KillMajority, KillAll, KillAtStart, Terminate, RollingRestart, Pause, PauseAll,
    Stutter, Clock, Transfer, Drain,
]
