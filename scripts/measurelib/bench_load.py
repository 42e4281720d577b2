"""A load of `carillon bench` beside what is measured."""

import json
import subprocess

from clusterlib.cluster import ClusterError, node_environment


class BenchLoad:
    """Goes to all nodes of a cluster for so many seconds, from its first moment on. Ends with the `with` it stands in."""

    def __init__(self, cluster, words, seconds):
        servers = ",".join("http://%s:%d" % cluster.api[id] for id in cluster.ids)
        self.name = f"carillon bench {words[0]}"
        self.process = subprocess.Popen(
            [cluster.binary, "bench", *words, "--seconds", str(seconds), "--warmup", "0", "--server", servers, "-o", "json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=node_environment())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def is_over(self):
        return self.process.poll() is not None

    def finish(self, timeout):
        """Waits for its end; the figures of its run."""
        out, errors = self.process.communicate(timeout=timeout)
        if self.process.returncode != 0:
            raise ClusterError(f"{self.name}: {errors.strip() or out.strip()}")
        return json.loads(out)["runs"][0]
