"""A cluster to be measured, with handlers for it."""

import json
import os
import subprocess
import time

from clusterlib.cluster import Cluster, ClusterError, free_ports, node_environment
from clusterlib.connection import Connection

LONGEST_SECONDS = 1_800


class BenchNodes(Cluster):
    """Nodes with slots enough, a command and an address to call."""

    def __init__(self, binary, count, directory):
        super().__init__(binary, count, slots=1_024, directory=directory)
        self.service = f"127.0.0.1:{free_ports(1)[0]}"

    def configuration(self, reader):
        handlers = {
            "true": {"command": ["/bin/true"]},
            "call": {"http": {"url": f"http://{self.service}/"}},
        }
        return {**super().configuration(reader), "handlers": handlers}

    def bench(self, words):
        """The report of `carillon bench`."""
        return json.loads(self.bench_output(words))

    def clean(self):
        """Removes what another generator has left in the namespace of measurements."""
        self.bench_output(["clean"])

    def bench_output(self, words):
        servers = ",".join("http://%s:%d" % self.api[id] for id in self.ids)
        command = [self.binary, "bench", *words, "--server", servers, "-o", "json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_SECONDS, env=node_environment(), check=False
        )
        if done.returncode != 0:
            raise ClusterError(f"carillon bench {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def strike(self, words):
        """One round of `carillon bench failover`; whoever is dead afterwards is started again."""
        pids = [word for id, process in self.processes.items() for word in ("--pid", f"{id}={process.pid}")]
        report = self.bench(["failover", "--rounds", "1", *words, *pids])
        for id in [id for id, process in self.processes.items() if process.poll() is not None]:
            self.kill(id)
            self.start(id)
            self.await_ready([id])
        return report

    def restart(self, id):
        """Seconds from the start of a node that was killed until it says that it is ready."""
        self.kill(id)
        begun = time.monotonic()
        self.start(id)
        self.await_ready([id])
        return time.monotonic() - begun

    def rest(self, seconds):
        """What each node takes while nothing is asked of it."""
        time.sleep(seconds)
        before = {id: (cpu_seconds(process.pid), self.commit_index(id)) for id, process in self.processes.items()}
        begun = time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - begun
        runs = []
        for id, process in self.processes.items():
            cpu, index = before[id]
            runs.append({
                "node": id,
                "cpuShare": (cpu_seconds(process.pid) - cpu) / passed,
                "residentBytes": resident_bytes(process.pid),
                "entries": self.commit_index(id) - index,
            })
        return runs

    def commit_index(self, id):
        connection = Connection(self.api[id])
        try:
            body = connection.request("GET", "/metrics").body
        finally:
            connection.close()
        for line in body.decode().splitlines():
            if line.startswith("carillon_raft_commit_index"):
                return int(float(line.split()[-1]))
        raise ClusterError(f"{id} does not tell its commit index")


def process_fields(pid):
    """Those of /proc/PID/stat behind the name, which may hold anything."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def cpu_seconds(pid):
    fields = process_fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    return int(process_fields(pid)[21]) * os.sysconf("SC_PAGE_SIZE")
