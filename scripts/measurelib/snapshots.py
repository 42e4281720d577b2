"""How long a large state holds the event loop while it is written, sent and loaded."""

import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection
from measurelib.load import load_waiting
from measurelib.replacement import add

# Bounds of the histogram, seconds.
BOUNDS = ("0.001", "0.002", "0.005", "0.01", "0.02", "0.05")
LOAD_SECONDS = 120


def measure_snapshot(cluster, options):
    """A cluster that holds many tasks, and nothing else to do: the leader writes a snapshot for a backup, and sends it
    to a newcomer. Counted are the turns of the leader's loop that took longer than so many milliseconds; the processors
    are shared with everything else, so a turn may have waited for one."""
    load_waiting(cluster, options.many)
    # What the load has begun comes to its end.
    time.sleep(5)
    leader = cluster.leader()
    result = {"tasks": options.many}
    before = turns(cluster, leader)
    begun = time.monotonic()
    newcomer = cluster.add_node()
    connection = Connection(cluster.api[leader], LOAD_SECONDS)
    reply = connection.request("POST", f"/v1/cluster/backup?timeout={LOAD_SECONDS}s", b"")
    if reply.status != 200:
        raise ClusterError(f"POST /v1/cluster/backup: {reply}")
    result["snapshot written within, ms"] = round((time.monotonic() - begun) * 1000)
    begun = time.monotonic()
    add(cluster, newcomer)
    result["newcomer is a voter within, ms"] = round((time.monotonic() - begun) * 1000)
    if cluster.leader() != leader:
        raise ClusterError("the leader has changed meanwhile")
    after = turns(cluster, leader)
    total = after.pop("+Inf") - before.pop("+Inf")
    result["turns of the leader"] = total
    for bound, count in after.items():
        longer = total - (count - before[bound])
        result[f"of them longer than {float(bound) * 1000:g} ms"] = longer
    return result


def turns(cluster, id):
    """The histogram of the loop's turns: counts by upper bound."""
    reply = Connection(cluster.api[id], 10).request("GET", "/metrics")
    counts = {}
    for line in reply.body.decode().splitlines():
        name, _, value = line.partition(" ")
        for bound in (*BOUNDS, "+Inf"):
            if name == f'carillon_loop_turn_seconds_bucket{{le="{bound}"}}':
                counts[bound] = int(value)
    if len(counts) != len(BOUNDS) + 1:
        raise ClusterError(f"{id} does not tell how long its turns take")
    return counts
