"""NATS JetStream: three servers and a stream of three replicas in files."""

import json
import os
import urllib.request

from benchlib.against.load import Way
from benchlib.against.peer import HOST, MEMBERS, Peer
from clusterlib.cluster import free_ports

CONFIGURATION = """\
host: "{host}"
port: {client}
http: "{host}:{monitor}"
server_name: {name}
jetstream {{ store_dir: "{store}", max_file_store: 20GB, max_memory_store: 1GB }}
cluster {{ name: bench, listen: "{host}:{route}", no_advertise: true, routes: [{routes}] }}
"""


class NATS(Peer):
    """It acknowledges what it has written and not synced; it syncs every two minutes."""

    name = "nats"
    programs = {"nats-server": "nats-server"}
    ways = [Way("nats", "does not sync", ("submit", "failover"), batches=(1, 100, 1000), mode="nats")]

    def start(self, directory):
        self.directory = directory
        ports = free_ports(3 * MEMBERS)
        client, route, self.monitor = (ports[kind * MEMBERS:(kind + 1) * MEMBERS] for kind in range(3))
        self.addresses = [f"{HOST}:{port}" for port in client]
        routes = ", ".join(f'"nats://{HOST}:{port}"' for port in route)
        for number in range(MEMBERS):
            store = f"{directory}/{self.member_name(number)}"
            os.mkdir(store)
            with open(f"{store}.conf", "w", encoding="utf-8") as file:
                file.write(CONFIGURATION.format(
                    host=HOST, client=client[number], monitor=self.monitor[number], name=self.member_name(number),
                    store=store, route=route[number], routes=routes,
                ))
            self.start_member(number)
        for port in client:
            self.await_port(port)
        self.tools.prepare("nats", self.addresses[0])
        self.leader_number()

    def start_member(self, number):
        name = self.member_name(number)
        self.spawn(name, [self.tools.program("nats-server"), "-c", f"{self.directory}/{name}.conf"])

    def leader(self):
        """Of the stream."""
        named = set()
        for number, monitor in enumerate(self.monitor):
            with urllib.request.urlopen(f"http://{HOST}:{monitor}/jsz?streams=1&acc=$G", timeout=2) as reply:
                cluster = json.load(reply)["account_details"][0]["stream_detail"][0]["cluster"]
            named.add(cluster["leader"])
            replicas = cluster.get("replicas", [])
            current = [replica for replica in replicas if replica.get("current")]
            if cluster["leader"] == self.member_name(number) and len(current) < MEMBERS - 1:
                return None
        return int(named.pop()[1:]) if len(named) == 1 else None

    def version(self):
        return self.tools.program_version("nats-server", "--version")
