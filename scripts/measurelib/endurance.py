"""Whether a cluster under load is after an hour what it was after a minute: memory, log, latency, and its leader."""

import json
import os
import statistics
import sys
import time

from clusterlib.cluster import Cluster
from clusterlib.connection import Connection
from measurelib.bench_load import BenchLoad
from measurelib.figures import memory_bytes

SLOTS = 1_024
# The nodes keep so many tasks that have ended: reached within the first minutes at any rate worth the name.
KEPT = 200_000
WARMUP_MINUTES = 3
# Enough of both that no processor has to wait.
CONNECTIONS = 256
OUTSTANDING = 4_000


class EnduranceCluster(Cluster):
    """Nodes that have slots for what comes."""

    def __init__(self, binary, count):
        super().__init__(binary, count, prefix="carillon-measure-", slots=SLOTS)

    def configuration(self, reader):
        return {**super().configuration(reader), "retention": {"maxFinished": KEPT, "maxDead": KEPT}}


def measure_endurance(cluster, options):
    """Tasks that run, for `--minutes`: as many as go through, or `--endurance-rate` a second. Each minute what the nodes say of
    themselves is looked at. Latencies are those of the histograms of the nodes, which have steps."""
    cluster.close()
    cluster = EnduranceCluster(cluster.binary, len(cluster.ids))
    try:
        return endure(cluster.start_all(), options)
    finally:
        cluster.close()


def endure(cluster, options):
    cluster.leader()
    words = ["run", "--connections", str(CONNECTIONS)]
    if options.endurance_rate:
        words += ["--rate", str(options.endurance_rate)]
    else:
        words += ["--outstanding", str(OUTSTANDING)]
    minutes = []
    # The first and the last samples should be of full minutes of load.
    with BenchLoad(cluster, words, 60 * options.minutes + 5) as load:
        before = first = look(cluster)
        for number in range(options.minutes):
            time.sleep(max(0, first["time"] + 60 * (number + 1) - time.monotonic()))
            if load.is_over():
                break
            now = look(cluster)
            minutes.append(minute(before, now))
            print(f"  minute {number + 1}: {json.dumps(minutes[-1])}", file=sys.stderr, flush=True)
            before = now
        run = load.finish(timeout=300)
    return summary(run, minutes, first, before)


def look(cluster):
    """One moment: the sums of all nodes' counters, and the largest of what is a state."""
    found = {
        "time": time.monotonic(), "memory": 0, "log": 0, "disk": 0, "term": 0, "elections": 0, "longest": 0,
        "submit": {}, "start": {},
    }
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    found["busy"], found["all"] = sum(fields) - fields[3] - fields[4], sum(fields)
    for id, process in cluster.processes.items():
        connection = Connection(cluster.api[id], 30)
        text = connection.request("GET", "/metrics").body.decode()
        connection.close()
        found["memory"] = max(found["memory"], memory_bytes(process.pid))
        found["disk"] = max(found["disk"], size(f"{cluster.directory}/data/{id}"))
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            add(found, name, value)
    return found


def add(found, name, value):
    if name == "carillon_raft_log_bytes":
        found["log"] = max(found["log"], float(value))
    elif name == "carillon_raft_term":
        found["term"] = max(found["term"], int(float(value)))
    elif name == "carillon_raft_leadership_changes_total":
        found["elections"] += int(float(value))
    elif name == "carillon_loop_longest_turn_seconds":
        found["longest"] = max(found["longest"], float(value))
    for key, metric in (("submit", "carillon_submit_seconds"), ("start", "carillon_start_delay_seconds")):
        if name.startswith(metric + "_bucket{"):
            bound = float(name.rpartition('le="')[2].partition('"')[0].replace("+Inf", "inf"))
            found[key][bound] = found[key].get(bound, 0) + int(float(value))


def size(folder):
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                # A segment that was let go meanwhile.
                pass
    return total


def quantile(before, now, share):
    """The upper bound, in milliseconds, of the step in which it lies."""
    counts = {bound: now[bound] - before.get(bound, 0) for bound in now}
    total = counts.get(float("inf"), 0)
    if not total:
        return None
    bound = min(bound for bound, count in counts.items() if count >= share * total)
    return bound * 1_000


def minute(before, now):
    seconds = now["time"] - before["time"]
    count = now["submit"].get(float("inf"), 0) - before["submit"].get(float("inf"), 0)
    return {
        "per second": round(count / seconds),
        "submit p50, ms": quantile(before["submit"], now["submit"], 0.5),
        "submit p99, ms": quantile(before["submit"], now["submit"], 0.99),
        "start p99, ms": quantile(before["start"], now["start"], 0.99),
        "memory, MB": round(now["memory"] / 1e6),
        "log, MB": round(now["log"] / 1e6),
        "disk, MB": round(now["disk"] / 1e6),
        "processors busy, %": round(100 * (now["busy"] - before["busy"]) / max(1, now["all"] - before["all"])),
        "term": now["term"],
    }


def summary(run, minutes, first, last):
    steady = minutes[WARMUP_MINUTES:] or minutes
    rows = {"minutes": len(minutes), "tasks done": run["endedTasks"]}
    rows["terms since the load began"] = last["term"] - first["term"]
    rows["changes of leadership, as nodes count them"] = last["elections"] - first["elections"]
    rows["longest turn of a loop, ms"] = round(last["longest"] * 1_000, 1)
    for name in minutes[0]:
        if name == "term":
            continue
        values = [each[name] for each in steady if each[name] is not None]
        if not values:
            continue
        third = max(1, len(values) // 3)
        parts = (values[:third], values[third:-third] or values, values[-third:])
        rows[f"{name}: medians of thirds, least, most"] = " ".join(
            f"{round(value, 1):,}" for value in (*map(statistics.median, parts), min(values), max(values)))
    return rows
