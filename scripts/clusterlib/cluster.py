"""Processes of nodes in a directory of their own."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from clusterlib.connection import Connection, Unreachable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class ClusterError(Exception):
    """The cluster does not do what was waited for."""


def binary_path(given=None):
    """The given executable, the one that CARILLON_BINARY names, or the release build."""
    path = given or os.environ.get("CARILLON_BINARY")
    if not path:
        build = ["swift", "build", "-c", "release", "--package-path", ROOT]
        subprocess.run(build + ["--product", "carillon"], check=True, stdout=sys.stderr)
        shown = subprocess.run(build + ["--show-bin-path"], check=True, capture_output=True, text=True)
        path = shown.stdout.strip() + "/carillon"
    return os.path.abspath(path)


def free_ports(count, host="127.0.0.1"):
    """Below the range of outgoing connections, so that none of those takes one meanwhile."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def node_environment(extra=None):
    """To a node, a variable of this prefix is a setting."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CARILLON_")}
    environment.update(extra or {})
    return environment


class Cluster:
    """Nodes n1, n2, … with their files in one directory, on addresses of this machine."""

    def __init__(self, binary, count, prefix="carillon-", slots=64, directory=None):
        self.binary = binary
        self.directory = directory or tempfile.mkdtemp(prefix=prefix)
        self.ids = [f"n{n + 1}" for n in range(count)]
        self.slots = slots
        self.processes = {}
        ports = free_ports(2 * count)
        self.peer = {id: ("127.0.0.1", port) for id, port in zip(self.ids, ports)}
        self.api = {id: ("127.0.0.1", port) for id, port in zip(self.ids, ports[count:])}

    # --- What nodes are started with

    def configuration(self, reader):
        """The file as the node `reader` sees it."""
        nodes = [
            {
                "id": id,
                "peer": "%s:%d" % self.peer_address(reader, id),
                "api": "%s:%d" % self.api[id],
                "slots": self.slots,
            }
            for id in self.ids
        ]
        return {"cluster": "measure", "nodes": nodes}

    def peer_address(self, _reader, id):
        return self.peer[id]

    def write_configuration(self, id):
        path = f"{self.directory}/{id}.json"
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.configuration(id), file, indent=1)
        os.rename(path + ".new", path)
        return path

    def command(self, id, arguments=()):
        return [
            self.binary, "node", "--config", self.write_configuration(id), "--id", id,
            "--data", f"{self.directory}/data", *arguments,
        ]

    def add_node(self):
        """A further node, named by the files of those that are started from now on."""
        id = f"n{len(self.peer) + 1}"
        peer, api = free_ports(2)
        self.peer[id], self.api[id] = ("127.0.0.1", peer), ("127.0.0.1", api)
        self.ids.append(id)
        return id

    def forget_node(self, id):
        """One that was let go: files written from now on don't name it."""
        self.ids.remove(id)

    # --- Processes

    def start(self, id, environment=None, arguments=(), **options):
        with open(f"{self.directory}/{id}.log", "ab") as log:
            self.processes[id] = subprocess.Popen(
                self.command(id, arguments),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=node_environment(environment),
                **options,
            )

    def kill(self, id):
        process = self.processes.pop(id)
        process.kill()
        process.wait()

    def terminate(self, id, seconds=60):
        """SIGTERM, and its exit status."""
        process = self.processes.pop(id)
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ClusterError(f"node {id} has not ended {seconds} s after SIGTERM") from None

    def start_all(self):
        for id in self.ids:
            self.start(id)
        self.await_ready()
        return self

    def is_ready(self, id):
        connection = Connection(self.api[id], 2)
        try:
            return connection.request("GET", "/readyz").status == 200
        except Unreachable:
            return False
        finally:
            connection.close()

    def await_ready(self, ids=None, seconds=120):
        end = time.monotonic() + seconds
        for id in ids or self.ids:
            while not self.is_ready(id):
                if id not in self.processes or self.processes[id].poll() is not None:
                    raise ClusterError(f"node {id} ended:\n" + self.tail(id))
                if time.monotonic() > end:
                    raise ClusterError(f"node {id} is not ready after {seconds} s:\n" + self.tail(id))
                time.sleep(0.005)

    def tail(self, id, lines=10):
        with open(f"{self.directory}/{id}.log", encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    # --- What the cluster says

    def view(self, id, timeout=2):
        """`GET /v1/cluster` of one node; None without an answer."""
        connection = Connection(self.api[id], timeout)
        try:
            return connection.json("GET", "/v1/cluster")
        except Unreachable:
            return None
        finally:
            connection.close()

    def leader(self, seconds=60):
        """Whom all running nodes take for the leader."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            views = [self.view(id) for id in list(self.processes)]
            named = {view["leader"] if view else None for view in views}
            if len(named) == 1 and (leader := named.pop()) in self.processes:
                return leader
            time.sleep(0.01)
        raise ClusterError("the cluster has no leader")

    def close(self, keep=False):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
