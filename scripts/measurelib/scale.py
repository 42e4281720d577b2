"""What a large state costs: clients in time, nodes in memory, and the event loop in long turns."""

import json
import statistics
import sys
import time
import urllib.parse

from clusterlib.cluster import Cluster, ClusterError
from clusterlib.connection import Connection
from measurelib.callers import Callers, p99_milliseconds, request, submissions
from measurelib.figures import memory_bytes
from measurelib.load import await_end, submit_lines
from measurelib.snapshots import BOUNDS, turns

CONNECTIONS = 64
ROUND_SECONDS = 3
# Of the text in a task's payload.
PAYLOAD_BYTES = 254
LINES = 1_000
DAY = "1d"


def measure_scale(cluster, options):
    """The same submissions to an empty cluster and to a full one, a round here and a round there: first beside tasks that
    wait, half for their time and half in a queue that is paused, then beside schedules as well. The tasks that are submitted
    run at once. Both clusters and the clients share the processors."""
    empty = Cluster(cluster.binary, len(cluster.ids), prefix="carillon-measure-")
    try:
        empty.start_all()
        result = {"waiting tasks": options.many, "connections": CONNECTIONS}
        load_tasks(cluster, options.many)
        time.sleep(5)
        result["memory of a node with them, MB"] = memory(cluster)
        result |= compare(empty, cluster, "beside tasks", options.rounds)
        seconds = load_schedules(cluster, options.schedules)
        result["schedules"] = options.schedules
        result["put a second"] = round(options.schedules / seconds)
        time.sleep(5)
        result |= compare(empty, cluster, "beside schedules as well", options.rounds)
        result["ended tasks that are kept"] = ended(cluster)
        result["memory of a node with all of them, MB"] = memory(cluster)
        return result
    finally:
        empty.close()


def compare(empty, full, what, rounds):
    figures = {"empty": [], "full": []}
    speeds = {"empty": [], "full": []}
    callers = {"empty": Callers(empty, CONNECTIONS), "full": Callers(full, CONNECTIONS)}
    try:
        for number in range(rounds + 1):
            for name, cluster in (("empty", empty), ("full", full)):
                latencies = callers[name].run(submissions(ROUND_SECONDS))
                wait_for_rest(cluster)
                # The first round warms up.
                if number:
                    figures[name].append(p99_milliseconds(latencies))
                    speeds[name].append(len(latencies) / ROUND_SECONDS)
    finally:
        for each in callers.values():
            each.close()
    ratios = [full / empty for empty, full in zip(figures["empty"], figures["full"])]
    return {
        f"submit p99, empty, median of {rounds}, ms": round(statistics.median(figures["empty"]), 1),
        f"submit p99, {what}, median of {rounds}, ms": round(statistics.median(figures["full"]), 1),
        f"p99 {what}, times that of the empty cluster, median": round(statistics.median(ratios), 2),
        f"tasks a second, empty, median ({what})": round(statistics.median(speeds["empty"])),
        f"tasks a second, {what}, median": round(statistics.median(speeds["full"])),
    }


def wait_for_rest(cluster):
    """Until what was submitted has run."""
    await_end(cluster, query="&queue=default", states="ready,running")


def ended(cluster):
    page = Connection(cluster.api[cluster.leader()]).request("GET", "/metrics").body.decode()
    prefix = 'carillon_tasks{state="succeeded"} '
    return next(int(line[len(prefix):]) for line in page.splitlines() if line.startswith(prefix))


def memory(cluster):
    return round(max(memory_bytes(process.pid) for process in cluster.processes.values()) / 1e6)


def load_tasks(cluster, count):
    connection = Connection(cluster.api[cluster.leader()], 60)
    connection.json("POST", "/v1/queues/paused/pause")
    for begin in range(0, count, LINES):
        part = range(begin, min(count, begin + LINES))
        submit_lines(connection, b"\n".join(task(number) for number in part), len(part))


def task(number):
    fields = {"handler": f"handler{number % 13}", "payload": "x" * PAYLOAD_BYTES}
    if number % 2:
        fields["delay"] = DAY
        fields["queue"] = f"queue{number % 9}"
    else:
        fields["queue"] = "paused"
    if number % 10 == 0:
        fields["meta"] = {"customer": f"c{number % 1_000}"}
    if number % 10 == 1:
        fields["key"] = f"order-{number}"
    return json.dumps(fields).encode()


def load_schedules(cluster, count):
    """Of one in two the period is an hour, with phases that are spread over it; the others are cron, once a day, spread by
    their names. How many seconds it took."""
    def puts():
        for number in range(count):
            if number % 2:
                timing = {"every": "1h", "phase": f"{number * 3_600_000 // count}ms"}
            else:
                timing = {"cron": "H H * * *", "zone": "Europe/Berlin"}
            body = json.dumps({**timing, "task": {"handler": "echo"}}).encode()
            yield request("PUT", f"/v1/schedules/schedule-{number}", body)

    callers = Callers(cluster, CONNECTIONS)
    begun = time.monotonic()
    try:
        callers.run(puts())
    finally:
        callers.close()
    return time.monotonic() - begun


# --- Long turns


def measure_holds(cluster, options):
    """The longest turns of the leader's loop while each of these is done beside many tasks and schedules. Turns are counted
    by time on the clock, and the nodes share the processors with each other and with whatever else runs: a turn may have waited
    for one. So each is done several times, and what counts is the best of them."""
    load_tasks(cluster, options.many)
    load_schedules(cluster, options.schedules)
    time.sleep(5)
    leader = cluster.leader()
    connection = Connection(cluster.api[leader], 300)
    result = {"waiting tasks": options.many, "schedules": options.schedules}
    for name, act in acts(connection).items():
        bounds = []
        for attempt in range(options.rounds):
            before = turns(cluster, leader)
            act(attempt)
            bounds.append(longest(before, turns(cluster, leader)))
        bounds.sort(key=float)
        print(f"  {name}: {bounds}", file=sys.stderr)
        result[f"{name}: longest turn, ms"] = f"< {milliseconds(bounds[0])}, median < {milliseconds(bounds[len(bounds) // 2])}"
    if cluster.leader() != leader:
        raise ClusterError("the leader has changed meanwhile")
    return result


def milliseconds(bound):
    return "inf" if bound == "inf" else f"{float(bound) * 1000:g}"


def longest(before, after):
    """The lowest bound that no turn in between was above."""
    total = after["+Inf"] - before["+Inf"]
    for bound in BOUNDS:
        if after[bound] - before[bound] == total:
            return bound
    return "inf"


def acts(connection):
    def lists(query):
        def act(_):
            cursor = None
            for _ in range(3):
                more = f"&cursor={cursor}" if cursor else ""
                cursor = connection.json("GET", f"/v1/tasks?{query}{more}")["next"]
                if not cursor:
                    return
        return act

    def explain(_):
        for item in connection.json("GET", "/v1/tasks?queue=paused&limit=100")["items"]:
            connection.json("GET", f"/v1/tasks/{item['id']}/explain")

    def bulk(action, query):
        body = json.dumps({"action": action, "filter": query}).encode()

        def act(_):
            job = connection.json("POST", "/v1/tasks/batch?wait=5m", body)
            if job["state"] != "done":
                raise ClusterError(f"a bulk job has not ended: {job}")
        return act

    def burst(attempt):
        """A thousand schedules that are due at the same instant."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
        for number in range(1_000):
            body = json.dumps({"at": [at], "task": {"handler": "echo"}}).encode()
            connection.json("PUT", f"/v1/schedules/burst-{attempt}-{number}", body)
        time.sleep(5)

    def backup(_):
        # Something has to be new, or there is a snapshot already.
        connection.json("POST", "/v1/tasks", b'{"handler":"echo"}')
        reply = connection.request("POST", "/v1/cluster/backup?timeout=120s")
        if reply.status != 200:
            raise ClusterError(f"no snapshot was written: {reply}")
        held = reply.json()
        connection.request("DELETE", f"/v1/cluster/backup?index={held['index']}&term={held['term']}")

    def page(path):
        def act(_):
            if connection.request("GET", path).status != 200:
                raise ClusterError(f"GET {path} failed")
        return act

    text = urllib.parse.quote("order-x")
    return {
        "nothing": lambda _: time.sleep(1),
        "list of 1,000": lists("limit=1000"),
        "list of a handler that nobody uses": lists("handler=none"),
        "list by text that no task has": lists(f"q={text}"),
        "list by text that may be in ids": lists("q=99999999"),
        "list by meta that no task has": lists("meta.customer=none"),
        "explain, of 100": explain,
        "metrics": page("/metrics"),
        "list of schedules": page("/v1/schedules?limit=1000"),
        "cancel by filter": bulk("cancel", {"queue": "queue3"}),
        "bring back by filter": bulk("retry", {"queue": "queue3", "state": "cancelled"}),
        "1,000 occurrences at once": burst,
        "snapshot": backup,
        "delete by filter": bulk("delete", {"state": "succeeded"}),
    }
