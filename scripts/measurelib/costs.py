"""What a task costs a node, in things that can be counted: system calls, messages, syncs, changes of thread, allocations."""

import shutil
import subprocess
import sys
import time

from clusterlib.cluster import Cluster, ClusterError
from clusterlib.connection import Connection
from measurelib.bench_load import BenchLoad

SLOTS = 1_024
SECONDS = 6
# From when the load has its pace until counting begins.
WARMUP_SECONDS = 3
# A list is long enough for all that is counted, and as short as that: each event is opened for each thread.
CALLS = (
    "sendto", "recvfrom", "epoll_wait", "futex", "write", "read", "pwrite64", "fdatasync", "timerfd_settime",
    "mmap", "munmap",
)
LOADS = {
    "one client, to the leader": ("submit", "--connections", "1", "--to", "leader"),
    "64 clients, to the leader": ("submit", "--connections", "64", "--to", "leader"),
    "256 clients, to all nodes": ("submit", "--connections", "256"),
    "arrays of 1,000, to all nodes": ("submit", "--connections", "8", "--bulk", "1000"),
    "run, 256 clients": ("run", "--connections", "256", "--outstanding", "4000"),
    "run, arrays of 100": ("run", "--connections", "8", "--bulk", "100", "--outstanding", "4000"),
}
PROBE = "carillon_malloc"


def measure_costs(cluster, options):
    """Each load has a cluster of its own. Counted are all threads of the leader, and of one follower. Allocations are
    counted in a time of their own, as to count each of them takes longer than most take."""
    if shutil.which("perf") is None:
        raise ClusterError("costs are counted by `perf`, which is not here")
    cluster.close()
    result = {}
    for name, words in LOADS.items():
        own = Cluster(cluster.binary, len(cluster.ids), prefix="carillon-measure-", slots=SLOTS)
        try:
            result |= {f"{name}: {key}": value for key, value in costs(own.start_all(), words).items()}
        finally:
            own.close()
    return result


def costs(cluster, words):
    cluster.leader()
    with BenchLoad(cluster, words, WARMUP_SECONDS + 2 * SECONDS + 6) as load:
        time.sleep(WARMUP_SECONDS)
        if load.is_over():
            load.finish(timeout=0)
        leader = cluster.leader()
        follower = next(id for id in cluster.ids if id != leader)
        counted = count(cluster, (leader, follower), ["raw_syscalls:sys_enter", "context-switches"] + [
            f"syscalls:sys_enter_{call}" for call in CALLS])
        allocations = count_allocations(cluster, (leader, follower))
        if load.is_over() or cluster.leader() != leader:
            raise ClusterError("the load has ended, or the leader changed, while the kernel counted")
        load.finish(timeout=120)
    rows = {"tasks a second": round(counted["tasks"]), "tasks in an entry": round(counted["tasks"] / counted["entries"], 1)}
    for role, id in (("leader", leader), ("follower", follower)):
        each = counted[id]
        calls = each.pop("raw_syscalls:sys_enter")
        rows[f"{role}, system calls"] = round(calls, 3)
        for event, value in sorted(each.items(), key=lambda pair: -pair[1]):
            if value >= 0.0005:
                rows[f"{role}, {event.removeprefix('syscalls:sys_enter_')}"] = round(value, 4)
        rows[f"{role}, messages sent to peers"] = round(counted["messages"][id], 4)
        rows[f"{role}, bytes of them"] = round(counted["bytes"][id])
        if allocations:
            rows[f"{role}, calls of malloc"] = round(allocations[id][f"probe_libc:{PROBE}"], 1)
    return rows


def count(cluster, ids, events):
    """Each event's number a task, by node; the tasks, entries and messages of the same time by the nodes' own metrics."""
    before = {id: look(cluster, id) for id in cluster.ids}
    perfs = {
        id: subprocess.Popen(
            ["perf", "stat", "-x", ";", "-e", ",".join(events), "-p", str(cluster.processes[id].pid), "--",
             "sleep", str(SECONDS)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for id in ids
    }
    texts = {id: perf.communicate()[1] for id, perf in perfs.items()}
    after = {id: look(cluster, id) for id in cluster.ids}

    def rate(id, name):
        return (after[id][name] - before[id][name]) / (after[id]["time"] - before[id]["time"])

    tasks = sum(rate(id, "submits") for id in cluster.ids)
    if tasks <= 0:
        raise ClusterError("no task was accepted while the kernel counted")
    result = {"tasks": tasks, "entries": rate(ids[0], "entries"), "messages": {}, "bytes": {}}
    for id in ids:
        result["messages"][id] = rate(id, "messages") / tasks
        result["bytes"][id] = rate(id, "bytes") / tasks
        result[id] = {}
        for line in texts[id].splitlines():
            fields = line.split(";")
            if len(fields) > 2 and fields[0].isdigit():
                result[id][fields[2]] = int(fields[0]) / SECONDS / tasks
        if any(event not in result[id] for event in events):
            raise ClusterError(f"perf does not count: {texts[id].strip()}")
    return result


def look(cluster, id):
    names = {
        "carillon_submits_total": "submits", "carillon_raft_commit_index": "entries",
        "carillon_peer_sent_messages_total": "messages", "carillon_peer_sent_bytes_total": "bytes",
    }
    connection = Connection(cluster.api[id], 30)
    text = connection.request("GET", "/metrics").body.decode()
    connection.close()
    found = {"time": time.monotonic(), "submits": 0, "entries": 0, "messages": 0, "bytes": 0}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        name = names.get(name.partition("{")[0])
        if name:
            found[name] += float(value)
    return found


def count_allocations(cluster, ids):
    """None if this system lets nobody count calls of a library."""
    with open(f"/proc/{cluster.processes[ids[0]].pid}/maps", encoding="ascii") as file:
        library = next((line.split()[-1] for line in file if "/libc.so" in line), None)
    if library is None:
        return None
    # One that an earlier run had no time to take away.
    subprocess.run(["perf", "probe", "-q", "-d", f"probe_libc:{PROBE}"], capture_output=True, check=False)
    added = subprocess.run(
        ["perf", "probe", "-q", "-x", library, f"{PROBE}=malloc"], capture_output=True, text=True, check=False)
    if added.returncode != 0:
        print(f"  allocations are not counted: {added.stderr.strip()}", file=sys.stderr)
        return None
    try:
        return count(cluster, ids, [f"probe_libc:{PROBE}"])
    finally:
        subprocess.run(["perf", "probe", "-q", "-d", f"probe_libc:{PROBE}"], capture_output=True, check=False)
