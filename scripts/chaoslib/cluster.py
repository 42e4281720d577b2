"""The cluster under test: nodes that are ended and started again in all manners, on a network of ours."""

import signal
import threading

from clusterlib.cluster import Cluster

# The handler that tells who ran what: one line an attempt, appended in one write.
RECORD = 'echo "$CARILLON_TASK_ID $CARILLON_ATTEMPT $CARILLON_FENCE" >> "$0"; cat'


class ChaosCluster(Cluster):
    def __init__(self, binary, network, directory, seen):
        super().__init__(binary, len(network.ids), directory=directory, slots=16)
        self.network = network
        self.peer = network.peer
        self.api = network.api
        # Told of every start and end.
        self.seen = seen
        # Guards the processes: the watch and the faults both look at them.
        self.lock = threading.RLock()
        self.paused = set()
        # What the clock of a node is off, in seconds, and the most that it ever was.
        self.clock_offsets = {}
        # Nodes whose end is not a surprise now.
        self.may_end = set()

    def configuration(self, reader):
        configuration = super().configuration(reader)
        configuration["cluster"] = "chaos"
        configuration["insecure"] = not self.network.is_loopback
        configuration["handlers"] = {
            "record": {"command": ["/bin/sh", "-c", RECORD, f"{self.directory}/executions-{reader}"]}
        }
        return configuration

    def peer_address(self, reader, id):
        return self.network.peer_address(reader, id)

    def command(self, id, arguments=()):
        return self.network.command(id, super().command(id, arguments))

    def data(self, id):
        return f"{self.directory}/data/{id}"

    # --- Processes

    def start(self, id, environment=None, arguments=(), **options):
        environment = dict(environment or {})
        offset = self.clock_offsets.get(id, 0)
        if offset:
            environment["CARILLON_CLOCK_OFFSET"] = f"{offset:+d}s"
        # Python ignores SIGXFSZ; a node that does too has its write fail when it meets the limit of a file.
        options.setdefault("restore_signals", False)
        with self.lock:
            super().start(id, environment, arguments, **options)
            self.network.started(id)
        self.seen(f"{id} started")

    def kill(self, id):
        with self.lock:
            # The port of a proxy must be closed before the peers try whether anybody still listens.
            self.network.ended(id)
            super().kill(id)
            self.paused.discard(id)

    def terminate(self, id, seconds=60):
        self.resume(id)
        with self.lock:
            process = self.processes.pop(id)
        process.terminate()
        try:
            return process.wait(seconds)
        finally:
            process.kill()
            process.wait()
            self.network.ended(id)

    def pause(self, id):
        with self.lock:
            self.processes[id].send_signal(signal.SIGSTOP)
            self.paused.add(id)

    def resume(self, id):
        with self.lock:
            if id in self.paused:
                self.paused.discard(id)
                self.processes[id].send_signal(signal.SIGCONT)

    def running(self):
        with self.lock:
            return [id for id in self.ids if id in self.processes and id not in self.paused]

    def stopped(self):
        with self.lock:
            return [id for id in self.ids if id not in self.processes]

    def ended_by_themselves(self):
        """Nodes whose process is gone without our doing, with their exit status; each once."""
        with self.lock:
            gone = {id: p.returncode for id, p in self.processes.items() if p.poll() is not None}
            for id in gone:
                del self.processes[id]
                self.paused.discard(id)
                self.network.ended(id)
        return gone

    def likely_leader(self):
        """Whom most of the running nodes take for the leader just now; None if nobody knows."""
        named = [view["leader"] for id in self.running() if (view := self.view(id, 1))]
        named = [leader for leader in named if leader in self.processes]
        return max(set(named), key=named.count) if named else None

    def is_caught_up(self):
        """Whether all nodes are ready and have applied what the leader had committed a moment ago."""
        views = [self.view(id, 2) for id in self.ids if id in self.processes]
        if len(views) < len(self.ids) or None in views:
            return False
        if len({view["leader"] for view in views}) > 1:
            return False
        goal = max(view["commit"] for view in views)
        return all(self.is_ready(id) for id in self.ids) and all(
            (view := self.view(id, 2)) is not None and view["applied"] >= goal for id in self.ids
        )
