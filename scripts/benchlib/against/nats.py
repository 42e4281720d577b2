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
server_name: n{number}
jetstream {{ store_dir: "{store}", max_file_store: 20GB, max_memory_store: 1GB }}
cluster {{ name: bench, listen: "{host}:{route}", no_advertise: true, routes: [{routes}] }}
"""


class NATS(Peer):
    """It acknowledges what it has written and not synced; it syncs every two minutes."""

    name = "nats"
    programs = {"nats-server": "nats-server"}
    ways = [Way("nats", "does not sync", (1, 100, 1000), mode="nats")]

    def start(self, directory):
        self.directory = directory
        ports = free_ports(3 * MEMBERS)
        self.client, route, self.monitor = (ports[kind * MEMBERS:(kind + 1) * MEMBERS] for kind in range(3))
        routes = ", ".join(f'"nats://{HOST}:{port}"' for port in route)
        for number in range(MEMBERS):
            store = f"{directory}/n{number}"
            os.mkdir(store)
            with open(f"{store}.conf", "w", encoding="utf-8") as file:
                file.write(CONFIGURATION.format(
                    host=HOST, client=self.client[number], monitor=self.monitor[number], number=number, store=store,
                    route=route[number], routes=routes,
                ))
            self.spawn(f"n{number}", [self.tools.program("nats-server"), "-c", f"{store}.conf"])
        for port in self.client:
            self.await_port(port)
        self.tools.prepare("nats", f"{HOST}:{self.client[0]}")
        self.leader_address()

    def leader_address(self):
        return f"{HOST}:{self.client[self.await_condition('the stream has a leader', self.leader)]}"

    def leader(self):
        """The number of the stream's leader, when all see it and its replicas have caught up."""
        named = set()
        for number, monitor in enumerate(self.monitor):
            with urllib.request.urlopen(f"http://{HOST}:{monitor}/jsz?streams=1&acc=$G", timeout=2) as reply:
                cluster = json.load(reply)["account_details"][0]["stream_detail"][0]["cluster"]
            named.add(cluster["leader"])
            replicas = cluster.get("replicas", [])
            current = [replica for replica in replicas if replica.get("current")]
            if cluster["leader"] == f"n{number}" and len(current) < MEMBERS - 1:
                return None
        return int(named.pop()[1:]) if len(named) == 1 else None

    def version(self):
        return self.tools.program_version("nats-server", "--version")
