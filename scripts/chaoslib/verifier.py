"""Looks at every acknowledged task until it has ended, and at all of them in the end."""

import hashlib
import json
import os
import re
import threading
import time

from clusterlib.connection import Connection, Unreachable

FINAL = {"succeeded", "dead", "cancelled", "expired"}
# A task gets so much time before it is first looked at.
PAUSE_SECONDS = 3


class Verifier(threading.Thread):
    """Reads tasks one by one, linearizably, through changing nodes."""

    def __init__(self, workload):
        super().__init__(name="verifier", daemon=True)
        self.workload = workload
        self.cluster = workload.cluster
        self.report = workload.report
        self.connections = {}
        self.is_over = threading.Event()
        self.turn = 0

    def run(self):
        while not self.is_over.is_set():
            task = self.workload.take_unverified(time.monotonic() - PAUSE_SECONDS)
            if task is None:
                self.is_over.wait(0.1)
                continue
            is_known = self.look(task) is not None
            self.workload.looked_at(task, is_known)
            if not is_known:
                self.is_over.wait(0.02)

    def connection(self):
        self.turn += 1
        id = self.cluster.ids[self.turn % len(self.cluster.ids)]
        if id not in self.connections:
            self.connections[id] = Connection(self.cluster.api[id], 5)
        return id, self.connections[id]

    def look(self, task):
        """True if the task ended as it should, False if not, None if that is not known yet."""
        id, connection = self.connection()
        try:
            reply = connection.request("GET", f"/v1/tasks/{task.id}?timeout=3s")
        except Unreachable:
            return None
        if reply.status == 404:
            self.report.violation(
                "nothing is lost", f"{task.id} ({task.key}) was acknowledged, and {id} knows nothing of it")
            return False
        if reply.status != 200:
            return None
        found = reply.json()
        if found["state"] not in FINAL:
            return None
        return self.judge(task, found)

    def judge(self, task, found):
        problem = self.problem(task, found)
        if problem:
            self.report.violation("every task is done exactly once", f"{task.id}: {problem}: {json.dumps(found)}")
            return False
        self.report.count("tasks seen to have ended")
        return True

    def problem(self, task, found):
        if found["state"] != "succeeded":
            return f"it ended {found['state']}"
        if found["key"] != task.key or found["handler"] != task.handler or found["payload"] != task.payload:
            return "it is another task"
        if task.handler in ("echo", "record") and found["result"] != task.payload:
            return "its result is not its payload"
        accepted = [a for a in found["attempts"] if a["outcome"] == "succeeded"]
        if len(accepted) != 1:
            return f"{len(accepted)} results were accepted"
        if accepted[0] is not found["attempts"][-1]:
            return "it was attempted again after it had succeeded"
        return None

    def finish(self, seconds):
        """Until everything acknowledged has been seen to end."""
        end = time.monotonic() + seconds
        while self.workload.left() and time.monotonic() < end:
            time.sleep(0.1)
        self.is_over.set()
        self.join()
        left = self.workload.left()
        if left:
            self.report.violation(
                "every task ends", f"{len(left)} have not within {seconds} s, for example {left[0]}")


def all_tasks(address):
    """Every task that this node knows, as it knows it."""
    connection = Connection(address, 60)
    cursor = ""
    while cursor is not None:
        page = connection.json("GET", f"/v1/tasks?stale=true&limit=1000{cursor}")
        yield from page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    connection.close()


def check_agreement(workload):
    """All nodes hold the same tasks and schedules, every acknowledged task, and no key twice."""
    report, cluster = workload.report, workload.cluster
    digests = {}
    for id in cluster.ids:
        tasks, keys = {}, {}
        for task in all_tasks(cluster.api[id]):
            tasks[task["id"]] = hashlib.sha256(json.dumps(task).encode()).digest()
            other = keys.setdefault(task["key"], task["id"])
            if other != task["id"]:
                report.violation("one key, one task", f"{id}: {task['key']} is {other} and {task['id']}")
        digests[id] = tasks
        lost = set(workload.by_id) - set(tasks)
        if lost:
            report.violation("nothing is lost", f"{id} lacks {len(lost)} tasks, for example {min(lost)}")
    first = digests[cluster.ids[0]]
    for id in cluster.ids[1:]:
        differing = [t for t in first.keys() | digests[id].keys() if first.get(t) != digests[id].get(t)]
        if differing:
            report.violation(
                "all nodes agree",
                f"{cluster.ids[0]} and {id} differ in {len(differing)} tasks, for example {min(differing)}")
    report.line(f"all nodes hold {len(first):,} tasks")
    schedules = {
        id: json.dumps(Connection(cluster.api[id]).json("GET", "/v1/schedules?stale=true&limit=1000"))
        for id in cluster.ids
    }
    if len(set(schedules.values())) > 1:
        report.violation("all nodes agree", f"schedules differ between {', '.join(schedules)}")


EXECUTION = re.compile(r"^(\S+) (\d+) (\d+)$")


def check_executions(workload):
    """From what the record handler left behind: no attempt was launched twice, and fences rise."""
    attempts = {}
    for id in workload.cluster.ids:
        path = f"{workload.cluster.directory}/executions-{id}"
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            for line in file:
                match = EXECUTION.match(line)
                if not match:
                    # The machine did not go down, so no line is torn.
                    workload.report.violation("attempts are told apart", f"{path}: {line!r}")
                    continue
                task, attempt, fence = match[1], int(match[2]), int(match[3])
                known = attempts.setdefault(task, {})
                if attempt in known:
                    workload.report.violation(
                        "an attempt is launched once", f"attempt {attempt} of {task} ran twice, last on {id}")
                known[attempt] = fence
    for task, fences in attempts.items():
        ordered = [fence for _, fence in sorted(fences.items())]
        if any(a >= b for a, b in zip(ordered, ordered[1:])):
            workload.report.violation("fences rise", f"{task}: {fences}")
    workload.report.line(f"{sum(map(len, attempts.values())):,} attempts of {len(attempts):,} tasks were recorded")
