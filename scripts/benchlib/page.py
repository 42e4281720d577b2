"""The figures as Markdown, and their place in the page."""

import re
import statistics

from benchlib.goals import goals
from benchlib.results import p99

BEGIN = "<!-- figures: written by scripts/bench -->"
END = "<!-- end of figures -->"
WORDS = {
    "tasksPerSecond": "tasks/s",
    "donePerSecond": "done/s",
    "generatorCPUShare": "generator, % of a processor",
    "beforeBytes": "before, MB",
    "filledBytes": "after the last task, MB",
    "settledBytes": "ten seconds later, MB",
    "bytesPerTask": "bytes a task",
    "readySeconds": "ready after kill -9, s",
    "cpuShare": "of a processor, %",
    "residentBytes": "resident, MB",
    "entries": "log entries",
    "recordedEarly": "recorded early",
    "heardEarly": "heard early",
    "unaccounted": "unaccounted",
    "gapMaxMilliseconds": "gap, ms",
    "silenceMaxMilliseconds": "silence, ms",
}
ROW_WORDS = {"connections": "connections", "payloadBytes": "bytes of payload", "bulk": "tasks a request", "node": "node"}


def title(key):
    """`latencyP50Milliseconds` is `latency p50, ms`."""
    if key in WORDS:
        return WORDS[key]
    stem = key.removesuffix("Milliseconds")
    name, _, share = stem.rpartition("P")
    words = re.sub(r"([A-Z])", lambda match: " " + match.group(1).lower(), name)
    return f"{words} p{share[:2] + '.' + share[2:] if len(share) > 2 else share}, ms"


def shown(key, value):
    if key.endswith("Bytes"):
        value /= 1e6
    elif key.endswith("Share"):
        value *= 100
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figures_text(plan, results, machine, rounds, quick):
    facts = [f"| {name} | {value} |" for name, value in machine.facts().items()]
    lines = ["| measured on | |", "|---|---|", *facts, ""]
    lines.append(
        f"{rounds} round" + ("" if rounds == 1 else "s") + (" of short runs" if quick else "") + "; median (lowest to highest). "
        "All nodes and the load share the processors. Of strikes each is a value, and p99 is told, which of fewer than a hundred "
        "is the longest."
    )
    lines += goal_lines(results, machine)
    for measurement in plan:
        lines += ["", *table(measurement, results)]
    return "\n".join(lines)


def goal_lines(results, machine):
    """What is wanted beside what the tables below say."""
    found = [(goal, goal.value(results)) for goal in goals()]
    lines = [
        f"| {goal.what} | {title(goal.key)} | {'≥' if goal.reaches else '≤'} {shown(goal.key, goal.bound(machine))} "
        f"| {shown(goal.key, value)} | {'yes' if goal.is_met(value, machine) else 'no'} |"
        for goal, value in found if value is not None
    ]
    if not lines:
        return []
    return ["", "**goals**, by the medians; of nodes the worst:", "", "| | figure | wanted | measured | met |", "|---|---|---|---|---|", *lines]


def table(measurement, results):
    rows = results.rows(measurement.name)
    lines = [f"**{measurement.name}**: `{measurement.command}`", ""]
    heads = [ROW_WORDS[key] for key in measurement.row] + [title(key) for key in measurement.keys]
    has_errors = any("errors" in figures for figures in rows.values())
    if has_errors:
        heads.append("errors")
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row, figures in rows.items():
        cells = [str(value) for value in row]
        cells += [cell(measurement, key, figures.get(key)) for key in measurement.keys]
        if has_errors:
            cells.append(", ".join(f"{count} × {kind}" for kind, count in figures.get("errors", {}).items()) or "none")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def cell(measurement, key, values):
    if not values:
        return "–"
    median = shown(key, statistics.median(values))
    if len(values) == 1:
        return median
    text = f"{median} ({shown(key, min(values))} to {shown(key, max(values))})"
    if hasattr(measurement, "count"):
        text += f", p99 {shown(key, p99(values))}"
    return text


def rewrite(path, text, mark=BEGIN, end_mark=END):
    """Puts the figures between two markers of the page."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    head, begin, rest = page.partition(mark)
    _, end, tail = rest.partition(end_mark)
    if not begin or not end:
        raise ValueError(f"{path} has no place for figures: {mark} … {end_mark}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{mark}\n\n{text}\n\n{end_mark}{tail}")
