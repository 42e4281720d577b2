"""A cluster to be measured, with handlers for it."""

import json
import subprocess

from clusterlib.cluster import Cluster, ClusterError, free_ports, node_environment

LONGEST_SECONDS = 1_800


class BenchNodes(Cluster):
    """Nodes with slots enough, a command and an address to call."""

    def __init__(self, binary, count, directory):
        super().__init__(binary, count, slots=64, directory=directory)
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
