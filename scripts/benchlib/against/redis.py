"""Redis: one server that syncs its file before it answers. Nothing is replicated."""

from benchlib.against.load import Way
from benchlib.against.peer import HOST, Peer
from clusterlib.cluster import free_ports


class Redis(Peer):
    """What is answered is on the disk of this one machine."""

    name = "redis"
    programs = {"redis-server": "redis-server"}
    ways = [Way("redis", "one node, LPUSH, appendfsync always", batches=(1, 100, 1000), mode="redis")]

    def start(self, directory):
        self.directory = directory
        (self.port,) = free_ports(1)
        self.spawn("redis", [
            self.tools.program("redis-server"), "--bind", HOST, "--port", str(self.port), "--dir", directory,
            "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning",
        ])
        self.await_port(self.port)

    def leader_address(self):
        return f"{HOST}:{self.port}"

    def version(self):
        return self.tools.program_version("redis-server", "--version")
