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
        Way("etcd", "gRPC", ("submit", "failover"), batches=(1, 100), mode="etcd"),
        Way("etcd", "HTTP and JSON", batches=(1, 100), mode="etcd-json"),
    ]

    def start(self, directory):
        self.directory = directory
        ports = free_ports(2 * MEMBERS)
        self.addresses = [f"{HOST}:{port}" for port in ports[:MEMBERS]]
        self.peers = [f"http://{HOST}:{port}" for port in ports[MEMBERS:]]
        for number in range(MEMBERS):
            self.start_member(number)
        self.leader_number()

    def start_member(self, number):
        name, client, peer = self.member_name(number), "http://" + self.addresses[number], self.peers[number]
        cluster = ",".join(f"{self.member_name(number)}={url}" for number, url in enumerate(self.peers))
        self.spawn(name, [
            self.tools.program("etcd"), "--name", name, "--data-dir", f"{self.directory}/{name}",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", cluster, "--log-level", "error", "--quota-backend-bytes", str(QUOTA_BYTES),
        ])

    def leader(self):
        states = [self.status(address) for address in self.addresses]
        leaders = {state["leader"] for state in states}
        applied = [int(state["raftAppliedIndex"]) for state in states]
        if len(leaders) != 1 or max(applied) - min(applied) > MOST_BEHIND:
            return None
        return [state["header"]["member_id"] for state in states].index(leaders.pop())

    def status(self, address):
        request = urllib.request.Request(
            f"http://{address}/v3/maintenance/status", b"{}", {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=2) as reply:
            return json.load(reply)

    def version(self):
        return self.tools.program_version("etcd", "--version")
