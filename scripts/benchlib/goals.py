"""What this project sets itself, on a machine of two processors that all nodes and the load share."""

import statistics
from dataclasses import dataclass
from typing import Callable

from benchlib.results import p99

# By default a follower that hears nothing asks for votes after this; a frozen leader may cost 200 ms more.
ELECTION_MILLISECONDS = 300


@dataclass
class Goal:
    """`key` is a figure of `measurement`, in its own unit; `limit` is in the same."""

    what: str
    measurement: str
    key: str
    # Without one it depends on the machine: `limit_of` it.
    limit: float = 0
    limit_of: Callable | None = None
    # The row of the measurement; without one the worst of all.
    row: tuple | None = None
    # Whether the figure has to reach the limit, in place of staying below.
    reaches: bool = False
    statistic: Callable = statistics.median

    def value(self, results):
        """None if that was not measured."""
        rows = results.rows(self.measurement)
        chosen = list(rows.values()) if self.row is None else [rows.get(self.row, {})]
        values = [self.statistic(figures[self.key]) for figures in chosen if figures.get(self.key)]
        return (min if self.reaches else max)(values, default=None)

    def bound(self, machine):
        return self.limit_of(machine) if self.limit_of else self.limit

    def is_met(self, value, machine):
        return value >= self.bound(machine) if self.reaches else value <= self.bound(machine)


def sequential_milliseconds(machine):
    """One and a half times what a lone request can't do without: a way over loopback and back, and a flush."""
    return 1.5 * (machine.trip_microseconds + machine.sync_microseconds) / 1_000


def goals():
    tasks, done, start = "tasksPerSecond", "donePerSecond", "startP99Milliseconds"
    late, very_late = "heardLatenessP99Milliseconds", "heardLatenessP999Milliseconds"
    gap = "gapMaxMilliseconds"
    return [
        Goal(
            "one client: 1.5 × (round trip + flush)", "submit to the leader", "latencyP50Milliseconds",
            limit_of=sequential_milliseconds, row=(1,),
        ),
        Goal("arrays of 100", "submit in bulk", tasks, 200_000, row=(100,), reaches=True),
        Goal("arrays of 1,000", "submit in bulk", tasks, 200_000, row=(1_000,), reaches=True),
        Goal("one by one, run and done", "run, many clients", done, 25_000, reaches=True),
        Goal("in arrays of 100, run and done", "run in bulk", done, 25_000, reaches=True),
        Goal("from submission to start, at half of that rate", "run at a rate", start, 10),
        Goal("commands", "run a command", done, 1_500, reaches=True),
        Goal("calls", "run a call", done, 2_000, reaches=True),
        Goal("20 due each second", "precision, 20 a second", late, 3),
        Goal("1,000 due together each second, begun", "precision, 1000 each second", "begunWithinP99Milliseconds", 10),
        Goal("the same, heard of", "precision, 1000 each second", late, 10),
        Goal("the same, heard of", "precision, 1000 each second", very_late, 25),
        Goal("the same, early", "precision, 1000 each second", "recordedEarly", 0),
        Goal("leader killed", "failover, killed", gap, 120),
        Goal("leader killed, p99", "failover, killed", gap, 500, statistic=p99),
        Goal("leader frozen: election timeout + 200 ms, p99", "failover, stopped", gap, ELECTION_MILLISECONDS + 200, statistic=p99),
        Goal("a million tasks", "memory", "settledBytes", 700e6),
        Goal("a million tasks, right after the last", "memory", "filledBytes", 700e6),
        Goal("a million tasks, a node started", "memory", "readySeconds", 10),
        Goal("idle", "idle", "cpuShare", 0.01),
        Goal("idle", "idle", "residentBytes", 40e6),
        Goal("idle", "idle", "entries", 0),
    ]
