"""RabbitMQ: three nodes and a quorum queue."""

import json
import os
import secrets
import subprocess

from benchlib.against.load import Way
from benchlib.against.peer import HOST, MEMBERS, START_SECONDS, Peer
from clusterlib.cluster import ClusterError, free_ports

LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"


class RabbitMQ(Peer):
    """Confirms come when a majority has synced."""

    name = "rabbitmq"
    programs = {"rabbitmq-server": "rabbitmq-server", "rabbitmqctl": "rabbitmq-server", "epmd": "erlang-base"}
    ways = [Way("rabbitmq", "confirms", ("submit", "failover"), batches=(1, 100, 1000), mode="rabbitmq")]

    installed_version = "unknown"

    def start(self, directory):
        self.directory = directory
        names, *ports = free_ports(1 + 2 * MEMBERS)
        self.client, self.links = ports[:MEMBERS], ports[MEMBERS:]
        self.addresses = [f"{HOST}:{port}" for port in self.client]
        with open(f"{directory}/.erlang.cookie", "w", encoding="ascii") as file:
            file.write(secrets.token_hex())
        os.chmod(file.name, 0o400)
        with open(f"{directory}/plugins", "w", encoding="ascii") as file:
            file.write("[].\n")
        self.environment = {
            "HOME": directory,
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{directory}/plugins",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
        }
        self.spawn("epmd", [self.tools.program("epmd"), "-address", HOST, "-port", str(names)], self.environment)
        self.await_port(names)
        for number in range(MEMBERS):
            os.mkdir(f"{directory}/{number}")
            self.start_member(number)
        for port in self.client:
            self.await_port(port)
        self.control("await_online_nodes", str(MEMBERS))
        # Asked now: without a port mapper of theirs, Erlang's tools start one that stays, on all addresses.
        self.installed_version = self.control("version").strip()
        self.tools.prepare("rabbitmq", self.addresses[0])
        self.leader_number()

    def member_name(self, number):
        return f"r{number}@localhost"

    def start_member(self, number):
        place = f"{self.directory}/{number}"
        discovery = "cluster_formation.classic_config.nodes."
        lines = [
            f"listeners.tcp.1 = {HOST}:{self.client[number]}", "log.file.level = error",
            "cluster_formation.peer_discovery_backend = classic_config",
            *(f"{discovery}{other + 1} = {self.member_name(other)}" for other in range(MEMBERS)),
        ]
        with open(f"{place}/node.conf", "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        self.spawn(self.member_name(number), [self.tools.program("rabbitmq-server")], {
            **self.environment,
            "RABBITMQ_NODENAME": self.member_name(number),
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.client[number]),
            "RABBITMQ_DIST_PORT": str(self.links[number]),
            "RABBITMQ_MNESIA_BASE": place,
            "RABBITMQ_LOG_BASE": place,
            "RABBITMQ_CONFIG_FILE": f"{place}/node.conf",
            "RABBITMQ_PID_FILE": f"{place}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
        })

    def control(self, *words):
        command = [self.tools.program("rabbitmqctl"), "-n", self.member_name(0), *words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=START_SECONDS, check=False,
                env={**os.environ, **self.environment},
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"rabbitmqctl {' '.join(words)}: no end after {START_SECONDS} s") from None
        if done.returncode != 0:
            raise ClusterError(f"rabbitmqctl {' '.join(words)}: {done.stdout.strip()} {done.stderr.strip()}")
        return done.stdout

    def leader(self):
        """Of the queue."""
        said = self.control("list_queues", "name", "leader", "online", "--silent", "--formatter", "json")
        found = json.loads(said[said.index("["):])[0]
        if len(found["online"]) < MEMBERS:
            return None
        return int(found["leader"].removeprefix("r").partition("@")[0])

    def version(self):
        return self.installed_version
