"""Figures of all sides by round, and the ratios of those of one round."""

import statistics

# What sides are compared by.
MEASURE = {"submit": "tasksPerSecond", "run": "donePerSecond", "failover": "gapMedianMilliseconds"}


class Comparison:
    """Only what was measured in the same round is divided: the machine is not the same in the next one."""

    def __init__(self):
        self.rounds = []
        # Sides that could not go on, and why: what they had said in that round by then counts.
        self.failures = []

    def begin_round(self):
        self.rounds.append({})

    def failed(self, side, reason):
        self.failures.append(f"{side}, round {len(self.rounds)}: {reason}")

    def add(self, load, way, figures):
        self.rounds[-1][load, way] = figures

    def measured(self):
        """Loads with the ways that they were put on, in the order of the first round that had them."""
        found = {}
        for figures in self.rounds:
            for load, way in figures:
                ways = found.setdefault(load, [])
                if way not in ways:
                    ways.append(way)
        return found

    def values(self, load, way, key):
        rounds = [figures.get((load, way), {}) for figures in self.rounds]
        return [figures[key] for figures in rounds if figures.get(key) is not None]

    def ratios(self, load, base, way):
        """How many times as well `base` did, round by round: as much of a rate, as little of a time."""
        key = MEASURE[load.kind]
        pairs = [(figures.get((load, base)), figures.get((load, way))) for figures in self.rounds]
        quotients = [ours[key] / theirs[key] for ours, theirs in pairs if ours and theirs]
        return [1 / quotient for quotient in quotients] if key.endswith("Milliseconds") else quotients

    def errors(self, load, way):
        """How many of each kind."""
        counts = {}
        for figures in self.rounds:
            for kind, count in figures.get((load, way), {}).get("errors", {}).items():
                counts[kind] = counts.get(kind, 0) + count
        return counts

    def raw(self):
        return [
            {"round": number + 1, "load": vars(load), "side": way.side, "way": way.name, **figures}
            for number, measured in enumerate(self.rounds)
            for (load, way), figures in measured.items()
        ]


def order(sides, number):
    """Turned round in every other round: nobody always comes first, or behind the same neighbour."""
    return sides if number % 2 == 0 else sides[::-1]


def spread(values, shown):
    """`12 (11 to 14)`."""
    median = shown(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({shown(min(values))} to {shown(max(values))})"
