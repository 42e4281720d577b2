"""What clients notice when leadership moves: by kill -9, by request, by SIGTERM."""

import random
import statistics
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable
from measurelib.load import percentile
from measurelib.stream import Stream

STREAM_CLIENTS = 6


def measure_failover(cluster, options):
    """From kill -9 of the leader to the next acknowledged task."""
    gaps = []
    for _ in range(options.failovers):
        leader = cluster.leader()
        others = [id for id in cluster.ids if id != leader]
        connections = [Connection(cluster.api[id], 5) for id in others]
        for connection in connections:
            connection.json("POST", "/v1/tasks", b'{"handler":"echo"}')
        cluster.processes[leader].kill()
        begun = time.monotonic()
        for attempt in range(100_000):
            try:
                connections[attempt % len(connections)].json(
                    "POST", "/v1/tasks", b'{"handler":"echo"}'
                )
                break
            except Unreachable:
                time.sleep(0.001)
        gaps.append((time.monotonic() - begun) * 1000)
        cluster.kill(leader)
        cluster.start(leader)
        cluster.await_ready([leader])
        time.sleep(random.random())
    return {
        "kills": len(gaps),
        "median, ms": round(statistics.median(gaps)),
        "p99, ms": round(percentile(gaps, 0.99)),
        "worst, ms": round(max(gaps)),
    }


def moves(cluster, count, move):
    """Moves leadership `count` times under a stream of submissions."""
    stream = Stream(cluster, STREAM_CLIENTS)
    stream.await_first()
    gaps = []
    try:
        for _ in range(count):
            time.sleep(0.3 + random.random() * 0.2)
            leader = cluster.leader()
            begun = time.monotonic()
            finish = move(leader)
            time.sleep(max(0, begun + 0.7 - time.monotonic()))
            gaps.append(stream.longest_gap(begun, time.monotonic()) * 1000)
            finish()
    finally:
        stream.stop()
    result = {
        "moves": len(gaps),
        "tasks": len(stream.answers),
        "failed requests": len(stream.failures),
        "longest gap, median, ms": round(statistics.median(gaps), 1),
        "longest gap, worst, ms": round(max(gaps), 1),
    }
    if stream.failures:
        result["a failure"] = stream.failures[0]
    return result


def measure_transfer(cluster, options):
    """Leadership handed over on request."""

    def move(leader):
        view = Connection(cluster.api[leader], 15).json("POST", "/v1/cluster/transfer")
        if view["leader"] == leader:
            raise ClusterError(f"{leader} still leads")
        return lambda: None

    return moves(cluster, options.transfers, move)


def measure_sigterm(cluster, options):
    """The leader is told to stop, and is started again."""

    def move(leader):
        process = cluster.processes.pop(leader)
        process.terminate()

        def finish():
            if process.wait(60) != 0:
                raise ClusterError(f"{leader} ended with status {process.returncode}")
            cluster.start(leader)
            cluster.await_ready([leader])

        return finish

    return moves(cluster, options.transfers, move)
