"""A fault: it begins, holds for a while, and is mended."""


class Fault:
    # As it is called in the summary.
    kind = ""
    # Shortest and longest time that it holds, in seconds.
    seconds = (2.0, 8.0)
    # False: it waits for what can't come while the network is broken, or damages more than a minority with it.
    goes_with_others = True
    # Whether a majority goes on well enough for members to change meanwhile; of faults of the network.
    leaves_majority = False
    # Whether it needs that.
    needs_majority = False

    def __init__(self, chaos):
        self.chaos = chaos
        self.cluster = chaos.cluster
        self.network = chaos.network
        self.random = chaos.random
        self.ids = chaos.cluster.ids

    @classmethod
    def is_possible(cls, _chaos):
        return True

    def begin(self):
        """Does it, and says in one line what was done."""
        raise NotImplementedError

    def hold(self):
        """Called a few times a second while it holds."""

    def end(self):
        """Mends it; with nodes that are down being started again by the caller."""

    # --- Choices

    def leader_or_any(self):
        """The leader as often as not."""
        leader = self.cluster.likely_leader() if self.random.random() < 0.5 else None
        return leader or self.random.choice(self.ids)

    def minority(self):
        return self.random.sample(self.ids, self.random.randint(1, max(1, (len(self.ids) - 1) // 2)))

    def others(self, ids):
        return [id for id in self.ids if id not in ids]
