"""A node is replaced by another while clients submit tasks."""

import json
import statistics
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable
from measurelib.arrivals import Arrivals
from measurelib.load import load_waiting

CHANGE_SECONDS = 120


def measure_replace(cluster, options):
    """A follower and the leader in turns: a newcomer is taken in, the other is told to stop, and is let go.

    "Meanwhile" is from just before the newcomer's process starts until a second after the other is let go, nothing
    left out, and is compared with the quiet seconds just before it. Some 3,000 submissions are due in it, so one stop
    of the machine's disk can decide its p99, or that of the quiet seconds: what counts is the median of several such
    pairs. All latencies count from when a submission was due. The newcomer's processor time and disk are those of the
    nodes that serve, and of the clients.
    """
    load_waiting(cluster, options.preloaded)
    arrivals = Arrivals(cluster, options.connections, options.rate)
    arrivals.await_first()
    pairs = {"a follower": [], "the leader": []}
    try:
        # Until the first tasks are old.
        time.sleep(2)
        for _ in range(options.replacements):
            for what in pairs:
                quiet_begun = time.monotonic()
                time.sleep(options.quiet_seconds)
                begun = time.monotonic()
                leader = cluster.leader()
                is_leader = what == "the leader"
                leaver = leader if is_leader else next(id for id in cluster.processes if id != leader)
                arrivals.take_in(cluster.api[replace(cluster, leaver)])
                done = time.monotonic()
                # What it has held up comes out.
                time.sleep(1)
                pairs[what].append(((quiet_begun, begun), (begun, time.monotonic()), done - begun))
    finally:
        arrivals.stop()
    quiet = [quiet for each in pairs.values() for quiet, _, _ in each]
    result = {
        "replaced, each": options.replacements,
        "tasks a second before": round(arrivals.per_second(*quiet)),
        "p99 before, median, ms": statistics.median(arrivals.p99_milliseconds(each) for each in quiet),
    }
    for what, each in pairs.items():
        times = [arrivals.p99_milliseconds(during) / arrivals.p99_milliseconds(quiet) for quiet, during, _ in each]
        during = [during for _, during, _ in each]
        result |= {
            f"{what} is replaced within, median, ms": round(statistics.median(seconds for *_, seconds in each) * 1000),
            f"{what}: tasks a second meanwhile": round(arrivals.per_second(*during)),
            f"{what}: p99 meanwhile, median, ms": statistics.median(map(arrivals.p99_milliseconds, during)),
            f"{what}: p99, times that before, median": round(statistics.median(times), 1),
            f"{what}: p99, times that before, worst": round(max(times), 1),
            f"{what}: longest gap, ms": round(max(arrivals.longest_gap(*each) for each in during) * 1000, 1),
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
    """The newcomer."""
    newcomer = cluster.add_node()
    add(cluster, newcomer)
    if cluster.terminate(leaver) != 0:
        raise ClusterError(f"{leaver} did not end in order")
    change(cluster, leaver, "DELETE", f"/v1/cluster/members/{leaver}")
    cluster.forget_node(leaver)
    return newcomer


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
