"""etcd: three members, which sync each write as they do by default."""

import json
import urllib.request

from benchlib.against.load import Way
from benchlib.against.peer import HOST, MEMBERS, Peer
from clusterlib.cluster import free_ports

# Its default of 2 GB would end a long measurement; it has no other effect.
QUOTA_BYTES = 8_000_000_000
# Members that are further apart are still catching up.
MOST_BEHIND = 50


class Etcd(Peer):
    """A transaction takes 128 operations by default, so batches of 1,000 can't be had."""

    name = "etcd"
    programs = {"etcd": "etcd-server"}
    ways = [
        Way("etcd", "gRPC", (1, 100), mode="etcd"),
        Way("etcd", "HTTP and JSON", (1, 100), mode="etcd-json"),
    ]

    def start(self, directory):
        self.directory = directory
        ports = free_ports(2 * MEMBERS)
        self.clients = [f"{HOST}:{port}" for port in ports[:MEMBERS]]
        others = [f"http://{HOST}:{port}" for port in ports[MEMBERS:]]
        cluster = ",".join(f"m{number}={url}" for number, url in enumerate(others))
        for number in range(MEMBERS):
            client = "http://" + self.clients[number]
            command = [
                self.tools.program("etcd"), "--name", f"m{number}", "--data-dir", f"{directory}/m{number}",
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", others[number], "--initial-advertise-peer-urls", others[number],
                "--initial-cluster", cluster, "--log-level", "error", "--quota-backend-bytes", str(QUOTA_BYTES),
            ]
            self.spawn(f"m{number}", command)
        self.leader_address()

    def leader_address(self):
        return self.clients[self.await_condition("all members have one leader", self.leader)]

    def leader(self):
        """Its number; nothing as long as one of them lags behind, or sees another."""
        states = [self.status(client) for client in self.clients]
        leaders = {state["leader"] for state in states}
        applied = [int(state["raftAppliedIndex"]) for state in states]
        if len(leaders) != 1 or max(applied) - min(applied) > MOST_BEHIND:
            return None
        return [state["header"]["member_id"] for state in states].index(leaders.pop())

    def status(self, client):
        request = urllib.request.Request(
            f"http://{client}/v3/maintenance/status", b"{}", {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=2) as reply:
            return json.load(reply)

    def version(self):
        return self.tools.program_version("etcd", "--version")
