"""The figures of a cluster with a load of tasks on it, and of one without."""

import json
import os
import random
import statistics
import time
from datetime import datetime, timezone

from clusterlib.connection import Connection
from measurelib.load import (
    Load, all_tasks, await_end, load_waiting, milliseconds, percentile, submit_lines,
)


def measure_submit(cluster, options):
    count = options.tasks
    seconds = Load(cluster, count, options.connections).wait()
    await_end(cluster)
    return {"tasks": count, "connections": options.connections, "per second": round(count / seconds)}


def kill_leader(cluster):
    leader = cluster.leader()
    cluster.kill(leader)
    cluster.leader()
    cluster.start(leader)
    cluster.await_ready([leader])


def kill_all(cluster):
    ids = list(cluster.processes)
    for process in cluster.processes.values():
        process.kill()
    for id in ids:
        cluster.kill(id)
    for id in ids:
        cluster.start(id)
    cluster.await_ready(ids)


def load_under(strike, cluster, options):
    """The load, with a strike after each part of it; then a look at every task."""
    count, kills = options.tasks, options.kills
    load = Load(cluster, count, options.connections)
    for kill in range(kills):
        while len(load.ids) < count * (kill + 1) // (kills + 1) and not load.failure:
            time.sleep(0.002)
        strike(cluster)
    seconds = load.wait()
    await_end(cluster)
    by_id = {task["id"]: task for task in all_tasks(cluster)}
    lost = twice = wrong = 0
    for number, id in load.ids.items():
        task = by_id.pop(id, None)
        if task is None:
            lost += 1
        elif task["state"] != "succeeded" or task["result"] != number:
            wrong += 1
        elif sum(attempt["outcome"] == "succeeded" for attempt in task["attempts"]) != 1:
            twice += 1
    return {
        "tasks": count,
        "kills": kills,
        "acknowledged": len(load.ids),
        "lost": lost,
        "with a wrong end": wrong,
        "accepted twice": twice,
        "never acknowledged but there": len(by_id),
        "per second": round(count / seconds),
        "longest wait, ms": round(load.slowest * 1000),
    }


def measure_kills(cluster, options):
    return load_under(kill_leader, cluster, options)


def measure_blackouts(cluster, options):
    return load_under(kill_all, cluster, options)


def measure_lateness(cluster, options):
    connection = Connection(cluster.api[cluster.ids[0]])
    start = time.time() + 2
    lines = []
    for _ in range(options.instants):
        due = datetime.fromtimestamp(start + random.random() * 20, timezone.utc)
        text = due.strftime("%Y-%m-%dT%H:%M:%S.") + f"{due.microsecond // 1000:03d}Z"
        lines.append(json.dumps({"handler": "echo", "runAt": text, "queue": "lateness"}))
    submit_lines(connection, "\n".join(lines).encode(), len(lines))
    time.sleep(max(0, start + 20 - time.time()))
    await_end(cluster)
    late = [
        milliseconds(task["startedAt"]) - milliseconds(task["runAt"])
        for task in all_tasks(cluster, "&queue=lateness")
    ]
    return {
        "tasks": len(late),
        "early": sum(value < 0 for value in late),
        "median, ms": round(statistics.median(late), 1),
        "p99, ms": round(percentile(late, 0.99), 1),
        "worst, ms": round(max(late), 1),
    }


def measure_restart(cluster, options):
    load_waiting(cluster, options.waiting)
    for id in cluster.ids:
        cluster.processes[id].kill()
    for id in cluster.ids:
        cluster.kill(id)
    begun = time.monotonic()
    for id in cluster.ids:
        cluster.start(id)
    cluster.await_ready()
    return {
        "waiting tasks": options.waiting,
        "all nodes ready after, ms": round((time.monotonic() - begun) * 1000),
        "memory of a node, MB": round(max(memory_bytes(p.pid) for p in cluster.processes.values()) / 1e6),
    }


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_idle(cluster, options):
    time.sleep(2)
    leader = cluster.leader()
    before = {id: cpu_seconds(p.pid) for id, p in cluster.processes.items()}
    time.sleep(options.idle_seconds)
    shares = {
        id: (cpu_seconds(p.pid) - before[id]) / options.idle_seconds * 100
        for id, p in cluster.processes.items()
    }
    followers = [share for id, share in shares.items() if id != leader]
    result = {"leader, % of a processor": round(shares[leader], 2)}
    if followers:
        result["follower, % of a processor"] = round(statistics.mean(followers), 2)
    result["memory of a node, MB"] = round(
        max(memory_bytes(p.pid) for p in cluster.processes.values()) / 1e6, 1
    )
    return result
