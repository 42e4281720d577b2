#!/usr/bin/env python3
"""A worker for Carillon in Python, with nothing but the standard library.

    examples/worker.py --server http://127.0.0.1:7201,http://127.0.0.1:7202 --id py1 --slots 4

Write your own handlers below: a function that takes the payload and an `Attempt`, and returns the result. It may raise
`Failed` to say how it failed; any other exception is a failure, too, and is tried again. docs/WORKERS.md says what a
worker has to keep to; the comments here say where it does.
"""

import argparse
import json
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Failed(Exception):
    def __init__(self, message, kind="error", retry=True):
        super().__init__(message)
        self.kind, self.retry = kind, retry


def count_words(payload, attempt):
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        raise Failed("expected {\"text\": \"…\"}", kind="payload", retry=False)
    return {"words": len(payload["text"].split())}


def wait(payload, attempt):
    """Something long, which looks now and then whether it is still wanted."""
    if attempt.stopped.wait(payload["ms"] / 1000):
        raise Failed("stopped")
    return None


HANDLERS = {"count-words": count_words, "wait": wait}


class Refused(Exception):
    """The cluster answered, and the answer is no."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem.get('detail', '')}")
        self.status = status
        self.type = problem.get("type", "").rpartition(":")[2]


class Cluster:
    """Any node will do. One that fails is left for the next one, by all requests."""

    def __init__(self, servers):
        self.servers, self.current = servers, 0

    def call(self, method, path, body=None, seconds=15.0, key=None):
        """One attempt; raises `Refused`, or `OSError` if this node can't say anything just now."""
        current = self.current
        request = urllib.request.Request(
            self.servers[current] + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"} | ({"idempotency-key": key} if key else {}))
        try:
            with urllib.request.urlopen(request, timeout=seconds) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code not in (429, 500, 502, 503, 504):
                raise Refused(error.code, json.loads(text or b"{}")) from None
            self.leave(current)
            raise OSError(f"{error.code}") from None
        except (OSError, ValueError) as error:
            self.leave(current)
            raise OSError(str(error)) from None

    def leave(self, server):
        if self.current == server:
            self.current = (server + 1) % len(self.servers)

    def insist(self, method, path, body=None, until=None, key=None):
        """Tries again until some node answers."""
        while True:
            try:
                return self.call(method, path, body, key=key)
            except OSError as error:
                if until is not None and time.monotonic() >= until:
                    raise
                print(f"no answer, trying again: {error}", file=sys.stderr)
                time.sleep(0.2)


class Attempt:
    def __init__(self, item, session):
        self.item, self.session = item, session
        self.key = (item["task"], item["attempt"])
        self.stopped = threading.Event()


def milliseconds(text):
    return int(text.removesuffix("ms")) / 1000


class Worker:
    def __init__(self, cluster, name, slots):
        self.cluster, self.name, self.slots = cluster, name, slots
        self.path = "/v1/workers/" + urllib.parse.quote(name)
        self.lock = threading.Lock()
        self.running = {}
        self.ended = set()
        self.leaving = threading.Event()
        self.over = threading.Event()
        self.replaced = False
        self.attach()

    def attach(self):
        # The lease counts from before the request: when its answer arrives says nothing of when the leader sent it.
        sent = time.monotonic()
        # One key for all tries: one that was given up and comes late must not end the session of another.
        answer = self.cluster.insist("POST", "/v1/workers", {
            "id": self.name, "handlers": sorted(HANDLERS), "slots": self.slots}, key=str(uuid.uuid4()))
        self.session, self.heard = answer["session"], sent
        self.beat, self.lease = milliseconds(answer["heartbeat"]), milliseconds(answer["lease"])

    def beat_forever(self):
        while not self.over.is_set():
            sent = time.monotonic()
            with self.lock:
                # Named until its end is answered, lest it be handed out again.
                named = [{"task": task, "attempt": attempt} for task, attempt in self.running]
            try:
                answer = self.cluster.call(
                    "POST", self.path + f"/heartbeat?timeout={int(self.beat * 1000)}ms",
                    {"session": self.session, "running": named}, seconds=self.beat)
                self.heard = sent
                for item in answer["cancel"]:
                    self.stop((item["task"], item["attempt"]))
            except Refused as refusal:
                if refusal.type not in ("session-lost", "not-found"):
                    print(f"this worker is over: {refusal}", file=sys.stderr)
                    self.replaced = True
                    self.stop()
                    self.leaving.set()
                    return
                self.stop()
                self.attach()
            except OSError as error:
                print(f"a heartbeat was not heard: {error}", file=sys.stderr)
            # Whoever hears nothing from the cluster stops by itself, before its work is given to somebody else.
            if time.monotonic() >= self.heard + self.lease:
                self.stop()
                continue
            self.over.wait(max(0, self.beat - (time.monotonic() - sent)))

    def stop(self, key=None):
        with self.lock:
            for attempt in self.running.values():
                if key in (None, attempt.key):
                    attempt.stopped.set()

    def take_forever(self):
        while not self.leaving.is_set():
            session = self.session
            self.ended = set()
            try:
                answer = self.cluster.call(
                    "GET", self.path + f"/assignments?session={session}&wait=2s")
            except Refused:
                # The heartbeats hear of it as well, and know what to do.
                time.sleep(0.1)
                continue
            except OSError:
                time.sleep(0.2)
                continue
            # Who has lost the cluster begins nothing: the attempts may be on their way to others.
            if time.monotonic() >= self.heard + self.lease:
                time.sleep(0.1)
                continue
            # What another session was given is no longer this worker's.
            if session != self.session:
                continue
            for item in answer["items"]:
                attempt = Attempt(item, session)
                with self.lock:
                    # Handed out twice: it came in time after all, and may have ended while the answer was on its way.
                    if attempt.key in self.running or attempt.key in self.ended:
                        continue
                    self.running[attempt.key] = attempt
                threading.Thread(target=self.run, args=[attempt], daemon=True).start()

    def run(self, attempt):
        report = {"session": attempt.session}
        try:
            result = HANDLERS[attempt.item["handler"]](attempt.item["payload"], attempt)
            report |= {"outcome": "succeeded", "result": result}
        except Failed as failure:
            report |= {"outcome": "failed", "error": str(failure), "kind": failure.kind,
                       "retry": failure.retry}
        except Exception as error:
            report |= {"outcome": "failed", "error": f"{type(error).__name__}: {error}"}
        task, number = attempt.key
        try:
            if not attempt.stopped.is_set():
                self.cluster.insist("POST", f"/v1/tasks/{task}/attempts/{number}/finish", report)
        except Refused as refusal:
            print(f"{task} attempt {number}: {refusal}", file=sys.stderr)
        finally:
            with self.lock:
                del self.running[attempt.key]
                self.ended.add(attempt.key)

    def leave(self):
        """Nothing new; what runs may end; then the rest is somebody else's at once."""
        end = time.monotonic() + 20
        try:
            if not self.replaced:
                self.cluster.insist("POST", self.path + "/drain", until=end)
            while self.running and time.monotonic() < end:
                time.sleep(0.05)
            self.over.set()
            if not self.replaced:
                self.cluster.insist(
                    "DELETE", self.path + f"?session={self.session}", until=end)
        except (Refused, OSError) as error:
            print(f"left without a word: {error}", file=sys.stderr)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--server", default="http://127.0.0.1:7201", help="URL[,URL…]")
    options.add_argument("--id", required=True)
    options.add_argument("--slots", type=int, default=4)
    options = options.parse_args()
    worker = Worker(Cluster(options.server.split(",")), options.id, options.slots)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.leaving.set())
    threading.Thread(target=worker.beat_forever, daemon=True).start()
    threading.Thread(target=worker.take_forever, daemon=True).start()
    print(f"{options.id} is attached", flush=True)
    while not worker.leaving.wait(0.2):
        pass
    worker.leave()
    sys.exit(1 if worker.replaced else 0)


if __name__ == "__main__":
    main()
