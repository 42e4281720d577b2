"""A node is replaced by another while clients submit tasks."""

import json
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable
from measurelib.load import percentile
from measurelib.stream import Stream

CHANGE_SECONDS = 120


def measure_replace(cluster, options):
    """First a follower, then the leader: a newcomer is taken in, the other is told to stop, and is let go."""
    stream = Stream(cluster, options.connections, rate=options.rate)
    stream.await_first()
    try:
        # Until the first tasks are old.
        time.sleep(2)
        begun = time.monotonic()
        time.sleep(options.quiet_seconds)
        quiet = stream.latencies(begun, time.monotonic())
        result = {
            "tasks a second before": round(len(quiet) / options.quiet_seconds),
            "p99 before, ms": round(percentile(quiet, 0.99) * 1000, 1),
        }
        for what in ("a follower", "the leader"):
            begun = time.monotonic()
            leader = cluster.leader()
            leaver = leader if what == "the leader" else next(id for id in cluster.processes if id != leader)
            replace(cluster, leaver)
            result[f"{what} is replaced within, ms"] = round((time.monotonic() - begun) * 1000)
            # What it has held up comes out.
            time.sleep(1)
            ended = time.monotonic()
            latencies = stream.latencies(begun, ended)
            result[f"{what}: tasks a second meanwhile"] = round(len(latencies) / (ended - begun))
            result[f"{what}: p99 meanwhile, ms"] = round(percentile(latencies, 0.99) * 1000, 1)
            result[f"{what}: longest gap, ms"] = round(stream.longest_gap(begun, ended) * 1000, 1)
    finally:
        stream.stop()
    result["failed requests"] = len(stream.failures)
    if stream.failures:
        result["a failure"] = stream.failures[0]
    return result


def replace(cluster, leaver):
    newcomer = cluster.add_node()
    cluster.start(newcomer, arguments=("--join",))
    change(cluster, newcomer, "POST", "/v1/cluster/members", json.dumps({"id": newcomer}).encode())
    if cluster.terminate(leaver) != 0:
        raise ClusterError(f"{leaver} did not end in order")
    change(cluster, leaver, "DELETE", f"/v1/cluster/members/{leaver}")


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
