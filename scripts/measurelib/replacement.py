"""A node is replaced by another while clients submit tasks."""

import json
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable
from measurelib.arrivals import Arrivals

CHANGE_SECONDS = 120


def measure_replace(cluster, options):
    """First a follower, then the leader: a newcomer is taken in, the other is told to stop, and is let go.

    "Meanwhile" is from just before the newcomer's process starts until a second after the other is let go, nothing
    left out. All latencies count from when a submission was due. The newcomer's processor time and disk are those of
    the nodes that serve, and of the clients.
    """
    arrivals = Arrivals(cluster, options.connections, options.rate)
    arrivals.await_first()
    replacements = []
    try:
        # Until the first tasks are old.
        time.sleep(2)
        quiet_begun = time.monotonic()
        time.sleep(options.quiet_seconds)
        quiet_ended = time.monotonic()
        for what in ("a follower", "the leader"):
            leader = cluster.leader()
            leaver = leader if what == "the leader" else next(id for id in cluster.processes if id != leader)
            begun = time.monotonic()
            replace(cluster, leaver)
            done = time.monotonic()
            # What it has held up comes out.
            time.sleep(1)
            replacements.append((what, begun, done, time.monotonic()))
    finally:
        arrivals.stop()
    quiet = arrivals.p99_milliseconds(quiet_begun, quiet_ended)
    result = {
        "tasks a second before": round(arrivals.per_second(quiet_begun, quiet_ended)),
        "p99 before, ms": quiet,
    }
    for what, begun, done, ended in replacements:
        p99 = arrivals.p99_milliseconds(begun, ended)
        result |= {
            f"{what} is replaced within, ms": round((done - begun) * 1000),
            f"{what}: tasks a second meanwhile": round(arrivals.per_second(begun, ended)),
            f"{what}: p99 meanwhile, ms": p99,
            f"{what}: p99, times that before": round(p99 / quiet, 1),
            f"{what}: longest gap, ms": round(arrivals.longest_gap(begun, ended) * 1000, 1),
        }
    result["failed requests"] = len(arrivals.failures)
    if arrivals.failures:
        result["a failure"] = arrivals.failures[0]
    return result


def add(cluster, newcomer):
    """Until it is a voter."""
    cluster.start(newcomer, arguments=("--join",))
    change(cluster, newcomer, "POST", "/v1/cluster/members", json.dumps({"id": newcomer}).encode())


def replace(cluster, leaver):
    add(cluster, cluster.add_node())
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
