"""The comparison as Markdown."""

import statistics

from benchlib.against.comparison import MEASURE, spread
from benchlib.page import shown, title

BEGIN = "<!-- against: written by scripts/bench --against -->"
END = "<!-- end of against -->"
KEYS = {
    "submit": ["latencyP50Milliseconds", "latencyP99Milliseconds", "generatorCPUShare"],
    "run": ["submittedPerSecond"],
    "failover": ["gapMaxMilliseconds", "silenceMaxMilliseconds"],
}
WORDS = {
    "donePerSecond": "done/s",
    "submittedPerSecond": "submitted before, tasks/s",
    "generatorCPUShare": "generator, % of a processor",
    "gapMedianMilliseconds": "gap, ms",
    "gapMaxMilliseconds": "longest gap, ms",
    "silenceMaxMilliseconds": "longest silence, ms",
}


def comparison_text(comparison, machine, sides, rounds, quick):
    facts = [f"| {name} | {value} |" for name, value in machine.facts().items()]
    facts += [f"| {side.name} | {side.version()} |" for side in sides if side.name != "carillon"]
    lines = ["| measured on | |", "|---|---|", *facts, ""]
    lines.append(
        f"{rounds} round" + ("" if rounds == 1 else "s") + (" of short runs" if quick else "") + ", the order of the "
        "sides turned round each time; median (lowest to highest). The last columns say how many times as well Carillon "
        "did, as many tasks a second or as short a gap: the ratio of two figures of the same round, and of these ratios "
        "the median, the lowest and the highest."
    )
    groups = {}
    for load, ways in comparison.measured().items():
        groups.setdefault((load.kind, load.batch), []).append((load, ways))
    for (kind, batch), measured in groups.items():
        lines += ["", f"**{group_title(kind, batch)}**", "", *table(comparison, kind, measured)]
    lines += ["", *errors(comparison)]
    return "\n".join([*lines, "Commands:", "", *commands(comparison, sides)])


def group_title(kind, batch):
    if kind != "submit":
        return {"run": "Submitted, run and done", "failover": "The leader killed"}[kind]
    return "One task a request" if batch == 1 else f"{batch:,} tasks a request"


def table(comparison, kind, measured):
    """Rows are connections and ways; a column of ratios for each way of Carillon's own generator."""
    bases = [way for way in dict.fromkeys(way for _, ways in measured for way in ways) if is_base(way)]
    with_connections = kind == "submit"
    heads = ["connections"] if with_connections else []
    heads += ["side", *(WORDS.get(key) or title(key) for key in [MEASURE[kind], *KEYS[kind]])]
    heads += [f"Carillon, {base.name}" for base in bases]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for load, ways in measured:
        for way in in_order(ways):
            cells = [str(load.connections)] if with_connections else []
            cells += [f"{way.side}, {way.name}", measure(comparison, load, way)]
            cells += [value(comparison, load, way, key) for key in KEYS[kind]]
            cells += [ratio(comparison, load, base, way) for base in bases]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def is_base(way):
    return way.side == "carillon" and not way.mode


def in_order(ways):
    """Carillon first, whoever began the first round."""
    return sorted(ways, key=lambda way: way.side != "carillon")


def measure(comparison, load, way):
    """What they are compared by."""
    key = MEASURE[load.kind]
    return spread(comparison.values(load, way, key), lambda number: shown(key, number))


def value(comparison, load, way, key):
    values = comparison.values(load, way, key)
    if not values:
        return "–"
    # Of the longest ones only the longest means anything.
    return shown(key, max(values) if "Max" in key else statistics.median(values))


def ratio(comparison, load, base, way):
    ratios = comparison.ratios(load, base, way)
    if base == way or not ratios:
        return "–"
    return spread(ratios, lambda number: f"{number:.2f}") + " ×"


def errors(comparison):
    lines = []
    for load, ways in comparison.measured().items():
        for way in ways:
            counts = comparison.errors(load, way)
            if counts:
                told = ", ".join(f"{count} × {kind}" for kind, count in counts.items())
                lines.append(f"- {way.side}, {way.name}, {load.connections} connections, {load.batch} a request: {told}")
    told = ["Errors:", "", *lines, ""] if lines else ["No request failed.", ""]
    if comparison.failures:
        told += ["Broken off:", "", *(f"- {failure}" for failure in comparison.failures), ""]
    return told


def commands(comparison, sides):
    """One line for each way and kind of load that was measured."""
    used = dict.fromkeys((way, load.kind) for load, ways in comparison.measured().items() for way in ways)
    return [
        f"- {way.side}, {way.name}: `{side.command(way, kind)}`"
        for side in sides for way, kind in used if way.side == side.name
    ]
