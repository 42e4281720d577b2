"""Clients on all nodes: tasks under keys, and registers, which are payloads of paused schedules."""

import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass

from chaoslib.history import FAILED, OK, UNKNOWN, Operation
from clusterlib.connection import Connection, Unreachable

JSON = "Content-Type: application/json\r\n"
# What the node may take; the connection is given a little longer, for its answer to arrive.
REQUEST_SECONDS = 4
PATIENCE_SECONDS = 6
# Fires in none of our lifetimes, and is paused besides.
NEVER = "0 0 29 2 *"
REGISTERS = 5
BALLAST_BYTES = 500_000


@dataclass
class Submitted:
    """A task that was acknowledged."""

    id: str
    key: str
    handler: str
    payload: object
    acknowledged: float


class Workload:
    """What all clients share."""

    def __init__(self, cluster, history, report, options):
        self.cluster = cluster
        self.history = history
        self.report = report
        self.rate = options.rate
        self.seed = options.seed
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.unverified = deque()
        self.looking = None
        self.by_id = {}
        self.keys_without_answer = {}
        self.clients = []

    def start(self):
        ids = self.cluster.ids
        for number, id in enumerate(ids):
            self.clients += [
                TaskClient(self, f"task-{number}a", id, self.rate / len(ids) / 2),
                TaskClient(self, f"task-{number}b", id, self.rate / len(ids) / 2),
                RegisterClient(self, f"reg-{number}", id, 20),
            ]
        self.clients.append(BallastClient(self, "ballast", ids[0], 2))
        for client in self.clients:
            client.start()

    def stop(self, seconds):
        """No new requests. Those under way are repeated until they are answered; the names of clients that
        have not got that far in time."""
        self.is_over.set()
        end = time.monotonic() + seconds
        for client in self.clients:
            client.join(max(0, end - time.monotonic()))
        return [client.name for client in self.clients if client.is_alive()]

    def acknowledged(self, task):
        with self.lock:
            former = self.by_id.setdefault(task.id, task)
            if former is task:
                self.unverified.append(task)
        if former.key != task.key:
            self.report.violation(
                "one key, one task", f"{task.id} answers to {former.key} and to {task.key}")
        self.report.succeeded()

    def take_unverified(self, older_than):
        """The task that has waited longest to be looked at; it stays among those that are left."""
        with self.lock:
            if self.unverified and self.unverified[0].acknowledged < older_than:
                self.looking = self.unverified.popleft()
                return self.looking
        return None

    def looked_at(self, task, is_known):
        with self.lock:
            self.looking = None
            if not is_known:
                self.unverified.append(task)

    def left(self):
        """Tasks that have not been seen to end."""
        with self.lock:
            return list(self.unverified) + ([self.looking] if self.looking else [])


class Client(threading.Thread):
    """One request at a time, at its own node when that answers."""

    def __init__(self, workload, name, home, rate):
        super().__init__(name=name, daemon=True)
        self.workload = workload
        self.home = home
        self.interval = 1 / max(rate, 0.01)
        self.random = random.Random(f"{workload.seed} {name}")
        self.connections = {}

    def run(self):
        due = time.monotonic() + self.random.random() * self.interval
        while not self.workload.is_over.wait(max(0, due - time.monotonic())):
            # After a stop of service the load is not made up for.
            due = max(due + self.interval, time.monotonic() - self.interval)
            try:
                self.work()
            except Exception as error:  # noqa: BLE001: a client that ends in silence tests nothing
                self.workload.report.violation("the test itself works", f"{self.name}: {error!r}")
                return

    def connection(self, id):
        if id not in self.connections:
            self.connections[id] = Connection(self.workload.cluster.api[id], PATIENCE_SECONDS)
        return self.connections[id]

    def any_node(self):
        return self.random.choice(self.workload.cluster.ids)

    def request(self, id, method, path, body=b"", headers=JSON):
        """The reply, or raises Unreachable. A status that a node should never send is a violation."""
        separator = "&" if "?" in path else "?"
        reply = self.connection(id).request(
            method, f"{path}{separator}timeout={REQUEST_SECONDS}s", body, headers
        )
        report = self.workload.report
        if reply.status >= 500:
            report.count(f"answers {reply.status} {reply.problem()}")
        if reply.status in (429, 503, 504):
            if b"retry-after" not in reply.fields:
                report.violation("a refusal says when to come again", f"{id}: {method} {path}: {reply}")
        elif reply.status not in (200, 201, 404):
            report.violation("no request fails", f"{id}: {method} {path}: {reply.status} {reply.body[:500]!r}")
        return reply


class TaskClient(Client):
    """Submits tasks, each under a key and until it is acknowledged, wherever that works."""

    number = 0

    def work(self):
        self.number += 1
        key = f"{self.name}-{self.number}"
        task = self.task(key)
        body = json.dumps(task).encode()
        id, _ = self.submit(key, body, self.home)
        if id is None:
            return
        self.workload.report.count("tasks acknowledged")
        self.workload.acknowledged(
            Submitted(id, key, task["handler"], task["payload"], time.monotonic()))
        if self.random.random() < 0.05:
            again, existed = self.submit(key, body, self.any_node())
            if again not in (None, id) or not existed:
                self.workload.report.violation(
                    "one key, one task", f"{key} is {id}, and later {again} (there before: {existed})")

    def task(self, key):
        draw = self.random.random()
        task = {"handler": "echo", "payload": {"key": key}, "retry": {"attempts": 5, "initial": "100ms"}}
        if draw < 0.15:
            task["delay"] = f"{self.random.randrange(1, 4000)}ms"
        elif draw < 0.22:
            task.update(handler="record")
        elif draw < 0.27:
            task.update(handler="fail", payload={"times": 1})
        elif draw < 0.32:
            task.update(handler="sleep", payload={"ms": self.random.randrange(1500)})
        return task

    def submit(self, key, body, id):
        """The task's id, and whether it was there before; (None, _) if nobody answered until the end."""
        headers = JSON + f"Idempotency-Key: {key}\r\n"
        began = time.monotonic()
        while True:
            wait = 0.02
            try:
                reply = self.request(id, "POST", "/v1/tasks", body, headers)
                if reply.status in (200, 201):
                    return reply.json()["id"], reply.status == 200
                if reply.status in (404, 409):
                    self.workload.report.violation("a submission is taken", f"{key}: {reply}")
                    return None, False
                wait = 0.1
            except Unreachable as error:
                self.workload.report.count(
                    "submissions repeated, lost" if error.was_sent else "submissions repeated, refused")
            if self.workload.is_over.is_set() and time.monotonic() - began > 120:
                self.workload.keys_without_answer[key] = id
                return None, False
            time.sleep(wait * (0.5 + self.random.random()))
            id = self.any_node()


class RegisterClient(Client):
    """Reads and writes registers through all nodes, each request once."""

    number = 0

    def work(self):
        register = f"reg-{self.random.randrange(REGISTERS)}"
        id = self.home if self.random.random() < 0.7 else self.any_node()
        if self.random.random() < 0.5:
            self.number += 1
            self.write(register, f"{self.name}-{self.number}", id)
        else:
            self.read(register, id)

    def write(self, register, value, id):
        task = {"handler": "echo", "payload": value}
        body = json.dumps({"cron": NEVER, "paused": True, "task": task}).encode()
        history = self.workload.history
        operation = Operation(register, True, value, self.name, id, history.now())
        history.begin(operation)
        try:
            reply = self.request(id, "PUT", f"/v1/schedules/{register}", body)
            if reply.status in (200, 201):
                operation.outcome, operation.returned = OK, history.now()
                self.workload.report.succeeded()
                self.workload.report.count("registers written")
            elif reply.status == 429 or reply.problem() == "no-leader":
                operation.outcome = FAILED
        except Unreachable as error:
            operation.outcome = UNKNOWN if error.was_sent else FAILED
        if operation.outcome == UNKNOWN:
            self.workload.report.count("writes of registers without a known outcome")
        history.add(operation)

    def read(self, register, id):
        history = self.workload.history
        operation = Operation(register, False, "", self.name, id, history.now())
        try:
            reply = self.request(id, "GET", f"/v1/schedules/{register}")
        except Unreachable:
            return
        if reply.status == 200:
            operation.outcome, operation.returned = OK, history.now()
            operation.value = reply.json()["task"]["payload"]
            self.workload.report.count("registers read")
            history.add(operation)
        elif reply.status == 404:
            self.workload.report.violation("nothing is lost", f"{register} is gone: {id} answers {reply}")


class BallastClient(Client):
    """Large payloads, each in place of an older one: the log grows and is compacted, the state does not grow."""

    def work(self):
        name = f"ballast-{self.random.randrange(8)}"
        task = {"handler": "echo", "payload": "x" * BALLAST_BYTES}
        body = json.dumps({"cron": NEVER, "paused": True, "task": task}).encode()
        try:
            self.request(self.any_node(), "PUT", f"/v1/schedules/{name}", body)
        except Unreachable:
            return
