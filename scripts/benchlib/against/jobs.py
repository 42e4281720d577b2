"""Job queues for Python on Redis, each with the concurrency that its worker has by default."""

import json
import os
import struct
import subprocess
import time

from benchlib.against.load import PAYLOAD_BYTES, Way
from benchlib.against.redis import Redis
from benchlib.against.tools import JOBS, SPARE_SECONDS
from clusterlib.cluster import ClusterError

STAMP = struct.Struct("<d")
# The worker's first jobs, while it starts, are not counted.
START_SHARE = 20
FEWEST_DONE = 20


class JobQueue(Redis):
    """The queue is filled first and the worker started then, so that it has the machine to itself."""

    distribution = ""
    application = ""
    # Of the worker, in words.
    concurrency = ""

    @property
    def modules(self):
        return [self.distribution, "redis"]

    @property
    def ways(self):
        return [Way(self.name, self.concurrency, ("run",))]

    def command(self, way, kind):
        return " ".join(self.worker("redis://HOST:PORT/0"))

    def worker(self, url):
        """The command line of the worker."""
        raise NotImplementedError

    def version(self):
        return self.tools.module_version(self.distribution)

    def measure(self, way, load):
        url = f"redis://{self.leader_address()}/0"
        record = f"{self.directory}/done"
        environment = {
            "PEER_REDIS": url, "PEER_RECORD": record, "PYTHONPATH": JOBS, "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{self.environment_path}:{os.environ['PATH']}",
        }
        filled = self.fill(environment)
        program, *arguments = self.worker(url)
        self.spawn("worker", [self.tools.script(program), *arguments], environment, JOBS)
        end = time.monotonic() + self.pace.drain_seconds
        while time.monotonic() < end and done_count(record) < filled["count"]:
            time.sleep(0.1)
        self.end("worker")
        times = done_times(record)
        if len(times) < FEWEST_DONE:
            raise ClusterError(f"{self.name}: only {len(times)} jobs were run:\n{self.tail('worker')}")
        return {
            "donePerSecond": drain_rate(times),
            "submittedPerSecond": filled["count"] / filled["seconds"],
            "errors": {},
        }

    @property
    def environment_path(self):
        return os.path.dirname(self.tools.script("python"))

    def fill(self, environment):
        """One producer submits jobs, one a call, as long as the pace says."""
        command = [
            self.tools.script("python"), f"{JOBS}/submit.py", self.application, str(PAYLOAD_BYTES),
            str(self.pace.fill_seconds),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **environment},
            timeout=self.pace.fill_seconds + SPARE_SECONDS,
        )
        if done.returncode != 0:
            raise ClusterError(f"{self.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)


class Dramatiq(JobQueue):
    name, distribution, application = "dramatiq", "dramatiq", "dramatiq_app"
    concurrency = "a process a processor, of 8 threads"

    def worker(self, url):
        return ["dramatiq", self.application]


class Huey(JobQueue):
    name, distribution, application = "huey", "huey", "huey_app"
    concurrency = "one thread"

    def worker(self, url):
        return ["huey_consumer", f"{self.application}.huey", "-q"]


class Celery(JobQueue):
    name, distribution, application = "celery", "celery", "celery_app"
    concurrency = "a process a processor"

    def worker(self, url):
        return ["celery", "-A", self.application, "worker", "--loglevel", "error", "--without-gossip", "--without-mingle"]


class RQ(JobQueue):
    name, distribution, application = "rq", "rq", "rq_app"
    concurrency = "a process a job"

    def worker(self, url):
        return ["rq", "worker", "-q", "-u", url, "tasks"]


def done_count(path):
    return os.path.getsize(path) // STAMP.size if os.path.exists(path) else 0


def done_times(path):
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        stamps = file.read()
    # A worker that is killed may leave half of one.
    return sorted(stamp for (stamp,) in STAMP.iter_unpack(stamps[: len(stamps) // STAMP.size * STAMP.size]))


def drain_rate(times):
    """Jobs a second, from when the worker was under way."""
    first = len(times) // START_SHARE
    return (len(times) - 1 - first) / (times[-1] - times[first])
