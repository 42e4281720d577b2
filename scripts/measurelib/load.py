"""Tasks in numbers, and how to wait for them."""

import json
import threading
import time
from datetime import datetime, timezone

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Refused, Unreachable


class Load:
    """Tasks from many connections, each going round the nodes; every task has a key and is sent until it is
    acknowledged."""

    def __init__(self, cluster, count, connections):
        self.cluster = cluster
        self.count = count
        self.lock = threading.Lock()
        self.next = 0
        self.ids = {}
        self.slowest = 0.0
        self.failure = None
        self.started = time.monotonic()
        self.threads = [
            threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(connections)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, turn):
        connections = [Connection(port) for port in self.cluster.api.values()]
        while True:
            with self.lock:
                number, self.next = self.next, self.next + 1
            if number >= self.count:
                return
            body = b'{"handler":"echo","payload":%d}' % number
            begun = time.monotonic()
            while True:
                turn += 1
                connection = connections[turn % len(connections)]
                try:
                    reply = connection.request(
                        "POST",
                        "/v1/tasks",
                        body,
                        f"Content-Type: application/json\r\nIdempotency-Key: k{number}\r\n",
                    )
                except Unreachable:
                    time.sleep(0.005)
                    continue
                if reply.status in (200, 201):
                    break
                if reply.status not in (429, 503):
                    self.failure = f"task {number}: {reply.status} {reply.body[:300]!r}"
                    return
                time.sleep(0.01)
            with self.lock:
                self.ids[number] = reply.json()["id"]
                self.slowest = max(self.slowest, time.monotonic() - begun)

    def wait(self):
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise ClusterError(self.failure)
        return time.monotonic() - self.started


def all_tasks(cluster, query=""):
    connection = Connection(cluster.api[next(iter(cluster.processes))])
    tasks, cursor = [], None
    while True:
        page = connection.json(
            "GET", f"/v1/tasks?limit=1000{query}" + (f"&cursor={cursor}" if cursor else "")
        )
        tasks += page["items"]
        cursor = page["next"]
        if not cursor:
            return tasks


def await_end(cluster, seconds=300, states="ready,running,scheduled", query=""):
    """Until no task waits or runs; of those that the query names."""
    end = time.monotonic() + seconds
    connection = Connection(cluster.api[next(iter(cluster.processes))])
    while connection.json("GET", f"/v1/tasks?limit=1&state={states}{query}")["items"]:
        if time.monotonic() > end:
            raise ClusterError(f"tasks have not ended after {seconds} s")
        time.sleep(0.05)


def load_waiting(cluster, count):
    """Tasks that are due in a day, in bulk."""
    connection = Connection(cluster.api[cluster.leader()], 60)
    line = json.dumps({"handler": "echo", "delay": "1d", "payload": "x" * 200}).encode() + b"\n"
    done = 0
    while done < count:
        part = min(1_000, count - done)
        try:
            submit_lines(connection, line * part, part)
        except Refused as refused:
            if refused.reply.status != 429:
                raise
            time.sleep(0.2)
            continue
        done += part


def submit_lines(connection, lines, count):
    """A bulk submission, every task of which must be taken."""
    reply = connection.request(
        "POST", "/v1/tasks", lines, "Content-Type: application/x-ndjson\r\n"
    )
    if reply.status != 200:
        raise Refused(reply)
    items = reply.json()["items"]
    if len(items) != count or any("id" not in item for item in items):
        raise ClusterError(f"bulk submission: {reply.body[:300]!r}")


def milliseconds(text):
    time_ = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return time_.timestamp() * 1000


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
