"""A node is replaced by another while clients submit tasks."""

import json
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable
from measurelib.load import percentile
from measurelib.stream import Stream

CHANGE_SECONDS = 120


def measure_replace(cluster, options):
    """A newcomer is taken in, and the leader is told to stop and let go: its successor and the newcomer see to it."""
    stream = Stream(cluster, options.connections, rate=options.rate)
    stream.await_first()
    try:
        # Until caches are warm and the first tasks are old.
        time.sleep(2)
        quiet_begin = time.monotonic()
        time.sleep(options.quiet_seconds)
        quiet_end = time.monotonic()
        newcomer = cluster.add_node()
        cluster.start(newcomer, arguments=("--join",))
        change(cluster, newcomer, "POST", "/v1/cluster/members", json.dumps({"id": newcomer}).encode())
        joined = time.monotonic()
        leaver = cluster.leader()
        if cluster.terminate(leaver) != 0:
            raise ClusterError(f"{leaver} did not end in order")
        change(cluster, leaver, "DELETE", f"/v1/cluster/members/{leaver}")
        ended = time.monotonic()
        time.sleep(1)
    finally:
        stream.stop()
    quiet, changing = (
        stream.latencies(quiet_begin, quiet_end), stream.latencies(quiet_end, ended + 1)
    )
    result = {
        "tasks a second before": round(len(quiet) / (quiet_end - quiet_begin)),
        "tasks a second meanwhile": round(len(changing) / (ended + 1 - quiet_end)),
        "failed requests": len(stream.failures),
        "until it had joined, ms": round((joined - quiet_end) * 1000),
        "until the other had left, ms": round((ended - joined) * 1000),
        "p99 before, ms": round(percentile(quiet, 0.99) * 1000, 1),
        "p99 meanwhile, ms": round(percentile(changing, 0.99) * 1000, 1),
        "longest gap, ms": round(stream.longest_gap(quiet_end, ended + 1) * 1000, 1),
    }
    if stream.failures:
        result["a failure"] = stream.failures[0]
    return result


def change(cluster, id, method, path, body=b""):
    """Asks until the answer is that it is done."""
    end = time.monotonic() + CHANGE_SECONDS
    last = None
    while time.monotonic() < end:
        for other in [other for other in cluster.processes if other != id]:
            try:
                reply = Connection(cluster.api[other], 30).request(
                    method, f"{path}?timeout=20s", body, "Content-Type: application/json\r\n")
            except Unreachable as error:
                last = error
                continue
            # Asked again because it took its time, what was to be let go may be unknown by now.
            if reply.status == 200 or (method == "DELETE" and reply.status == 404):
                return
            last = reply
        time.sleep(0.05)
    raise ClusterError(f"{method} {path}: {last}")
