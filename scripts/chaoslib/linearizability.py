"""Whether the history of a register is linearizable, when every write has a value of its own.

Then the question needs no search (Gibbons and Korach, "Testing Shared Memories", 1997). All operations
of one value form a cluster: its write and the reads that returned it. In any legal order a cluster stands
in one piece, the write first. Let `first` be the earliest return in a cluster and `last` the latest
invocation:

- first < last: the register surely held the value from `first` to `last` (a forward zone);
- otherwise all its operations overlap at some moment between `last` and `first` (a backward zone).

The history is linearizable if and only if

1. no read returns what nobody wrote, or returns before the write of its value is invoked;
2. no two forward zones overlap: the register would hold two values at once;
3. no backward zone lies within a forward zone: its value would come in between.

A write whose outcome is unknown counts only if its value was read, and has then happened before the first
of these reads returned. If nobody read it, a legal order without it stays one. A write that failed was not
done at all, so nobody may read it.
"""

import bisect

from chaoslib.history import FAILED, OK


class Zone:
    """The cluster of one value."""

    def __init__(self, write):
        self.write = write
        self.operations = [write]

    def close(self):
        self.first = min(self.operations, key=lambda operation: operation.returned)
        self.last = max(self.operations, key=lambda operation: operation.invoked)
        self.is_forward = self.first.returned < self.last.invoked
        ends = sorted((self.first.returned, self.last.invoked))
        self.begin, self.end = ends

    def story(self):
        return f"  {self.write}\n  {self.first}\n  {self.last}"


def violation(operations):
    """None if the history of this one register is linearizable, else why it is not."""
    zones, problem = _zones(operations)
    if problem:
        return problem
    forward = sorted((zone for zone in zones if zone.is_forward), key=lambda zone: zone.begin)
    for former, latter in zip(forward, forward[1:]):
        if latter.begin < former.end:
            return "two values at once:\n" + former.story() + "\n" + latter.story()
    begins = [zone.begin for zone in forward]
    for zone in zones:
        if zone.is_forward:
            continue
        position = bisect.bisect_left(begins, zone.begin) - 1
        if position >= 0 and zone.end < forward[position].end:
            return (
                "a value comes and goes while another is surely there:\n"
                + forward[position].story() + "\n" + zone.story()
            )
    return None


def _zones(operations):
    writes = {}
    for operation in operations:
        if operation.is_write:
            if operation.value in writes:
                return [], f"the test itself wrote {operation.value} twice"
            writes[operation.value] = Zone(operation)
    for operation in operations:
        if operation.is_write or operation.outcome != OK:
            continue
        zone = writes.get(operation.value)
        if zone is None:
            return [], f"nobody wrote what was read:\n  {operation}"
        if zone.write.outcome == FAILED:
            return [], f"a write that was refused is read:\n  {zone.write}\n  {operation}"
        if operation.returned < zone.write.invoked:
            return [], f"a value is read before it is written:\n  {operation}\n  {zone.write}"
        zone.operations.append(operation)
    counted = [
        zone for zone in writes.values() if zone.write.outcome == OK or len(zone.operations) > 1
    ]
    for zone in counted:
        zone.close()
    return counted, None
