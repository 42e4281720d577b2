"""Faults between nodes."""

from chaoslib.fault import Fault
from chaoslib.network import REFUSED, SILENT, Condition, links, links_between


class NetworkFault(Fault):
    def end(self):
        self.network.heal()

    def set(self, some, condition):
        self.network.set({link: condition for link in some})


class Halves(NetworkFault):
    kind = "partition: a minority"
    seconds = (2.0, 12.0)

    def begin(self):
        few = self.minority()
        self.set(links_between(few, self.others(few)), SILENT)
        return f"{' '.join(few)} | {' '.join(self.others(few))}"


class Isolation(NetworkFault):
    kind = "partition: the leader or another"
    seconds = (2.0, 12.0)

    def begin(self):
        one = self.leader_or_any()
        self.set(links_between([one], self.others([one])), SILENT)
        return f"{one} hears nobody, and nobody hears it"


class Splinters(NetworkFault):
    kind = "partition: everybody alone"
    seconds = (1.0, 4.0)

    def begin(self):
        self.set(links(self.ids), SILENT)
        return "nobody hears anybody"


class Deaf(NetworkFault):
    kind = "partition: one way in"
    seconds = (2.0, 10.0)

    def begin(self):
        one = self.leader_or_any()
        others = self.random.sample(self.others([one]), self.random.randint(1, len(self.ids) - 1))
        self.set([(other, one) for other in others], SILENT)
        return f"{one} does not hear {' '.join(others)}, which hear it"


class Mute(NetworkFault):
    kind = "partition: one way out"
    seconds = (2.0, 10.0)

    def begin(self):
        one = self.leader_or_any()
        others = self.random.sample(self.others([one]), self.random.randint(1, len(self.ids) - 1))
        self.set([(one, other) for other in others], SILENT)
        return f"{one} is not heard by {' '.join(others)}, and hears them"


class Bridge(NetworkFault):
    kind = "partition: a bridge"
    seconds = (2.0, 12.0)

    def begin(self):
        ids = self.random.sample(self.ids, len(self.ids))
        bridge, rest = ids[0], ids[1:]
        left, right = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        self.set(links_between(left, right), SILENT)
        return f"{' '.join(left)} | {' '.join(right)}, and {bridge} hears both"


class Ring(NetworkFault):
    kind = "partition: a ring of majorities"
    seconds = (2.0, 12.0)

    @classmethod
    def is_possible(cls, chaos):
        return len(chaos.cluster.ids) >= 5

    def begin(self):
        ids = self.random.sample(self.ids, len(self.ids))
        count = len(ids)
        far = [
            (ids[a], ids[b])
            for a in range(count) for b in range(count)
            if a != b and min((a - b) % count, (b - a) % count) > 1
        ]
        self.set(far, SILENT)
        return f"each hears its neighbours only in the ring {' '.join(ids)}"


class Rejection(NetworkFault):
    kind = "connections refused"
    seconds = (1.0, 6.0)

    def begin(self):
        one = self.leader_or_any()
        self.set(links_between([one], self.others([one])), REFUSED)
        return f"{one}'s connections are reset, new ones refused"


class Resets(NetworkFault):
    kind = "connections reset again and again"
    leaves_majority = True

    def begin(self):
        return "connections are reset, any of them at any time"

    def hold(self):
        self.network.reset(self.random.sample(links(self.ids), 2))


class Flapping(NetworkFault):
    kind = "partition: coming and going"
    leaves_majority = True

    def begin(self):
        self.one = self.leader_or_any()
        self.is_cut = False
        return f"{self.one} is cut off and joined again several times a second"

    def hold(self):
        if self.random.random() < 0.5:
            self.is_cut = not self.is_cut
            if self.is_cut:
                self.set(links_between([self.one], self.others([self.one])), SILENT)
            else:
                self.network.heal()


class Delay(NetworkFault):
    kind = "delay"
    leaves_majority = True

    @classmethod
    def is_possible(cls, chaos):
        return chaos.network.can_delay

    def begin(self):
        base, jitter = self.random.uniform(5, 120), self.random.uniform(0, 60)
        some = links(self.ids)
        if self.random.random() < 0.5:
            one = self.leader_or_any()
            some = links_between([one], self.others([one]))
        self.set(some, Condition(delay_milliseconds=base, jitter_milliseconds=jitter))
        return f"{base:.0f} to {base + jitter:.0f} ms on {len(some)} links"


class Loss(NetworkFault):
    kind = "loss"

    @classmethod
    def is_possible(cls, chaos):
        return chaos.network.can_delay

    def begin(self):
        share = self.random.choice([0.01, 0.05, 0.2])
        self.set(links(self.ids), Condition(loss=share))
        return f"{share:.0%} comes late, as if lost and repeated"


class Throttle(NetworkFault):
    kind = "slow links"

    def begin(self):
        rate = self.random.choice([20_000, 100_000, 500_000])
        one = self.leader_or_any()
        self.set(links_between([one], self.others([one])), Condition(bytes_per_second=rate))
        return f"{rate // 1000} kB/s from and to {one}"


NETWORK_FAULTS = [
    Halves, Isolation, Splinters, Deaf, Mute, Bridge, Ring, Rejection, Resets, Flapping, Delay, Loss, Throttle,
]
