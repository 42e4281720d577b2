"""Members that come and go. No faults, but everything must go on meanwhile."""

from chaoslib.fault import Fault


class MembershipChange(Fault):
    seconds = (0.0, 2.0)
    needs_majority = True

    @classmethod
    def is_possible(cls, chaos):
        return chaos.membership.is_possible


class Leave(MembershipChange):
    kind = "members: one leaves and returns"

    def begin(self):
        self.one = self.leader_or_any()
        self.chaos.membership.remove(self.one)
        return self.one

    def end(self):
        self.chaos.membership.add(self.one)


class Replace(MembershipChange):
    kind = "members: one is replaced"

    def begin(self):
        self.one = self.leader_or_any()
        return self.one

    def end(self):
        self.chaos.membership.replace(self.one)


class ReplaceAll(MembershipChange):
    kind = "members: all are replaced in turn"
    goes_with_others = False

    def begin(self):
        return "until nobody of the present ones is left"

    def end(self):
        for id in self.random.sample(self.ids, len(self.ids)):
            self.chaos.membership.replace(id)


MEMBERSHIP_FAULTS = [Leave, Replace, ReplaceAll]
