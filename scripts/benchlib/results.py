"""What the runs said, gathered over the rounds."""


class Results:
    """Values by measurement, row and figure, in the order of the runs."""

    def __init__(self):
        self.raw = []
        self.values = {}

    def add(self, measurement, runs):
        for run in runs:
            self.raw.append({"measurement": measurement.name, **run})
            row = tuple(run[key] for key in measurement.row)
            figures = self.values.setdefault(measurement.name, {}).setdefault(row, {})
            for key in measurement.keys:
                if run.get(key) is not None:
                    figures.setdefault(key, []).append(run[key])
            for kind, count in run.get("errors", {}).items():
                figures.setdefault("errors", {}).setdefault(kind, 0)
                figures["errors"][kind] += count

    def rows(self, name):
        return self.values.get(name, {})

    def first(self, name, key):
        """Of a measurement of one row; nothing measured is an error of the plan."""
        for figures in self.rows(name).values():
            if figures.get(key):
                return figures[key][0]
        raise KeyError(f"{name} has not measured {key}")


def p99(values):
    """The value that all but a hundredth don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 99 // 100) - 1)]
