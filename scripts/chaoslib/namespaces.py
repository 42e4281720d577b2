"""Each node in a network namespace of its own, on one bridge. Needs root and iproute2, and nothing of the nodes.

What a node must not hear is sent to a hardware address that nobody has: the packets leave, and nobody takes
them. So each direction of each link is cut by itself, and the kernels do what they do when packets are lost.
Delay and loss need the kernel's netem (sch_netem).
"""

import os
import subprocess

from chaoslib.network import CLEAR, NetworkError, links

NOWHERE = "02:00:00:00:00:fe"
PEER_PORT = 7101
API_PORT = 7201


class NamespaceNetwork:
    name = "network namespaces"
    is_loopback = False

    def __init__(self, ids):
        self.ids = ids
        # Several runs may share the machine.
        self.tag = f"{os.getpid() % 100_000:05d}"
        self.bridge = f"cbr{self.tag}"
        self.subnet = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
        self.host = {id: f"{self.subnet}.{number + 1}" for number, id in enumerate(ids)}
        self.hardware = {id: f"02:00:00:00:00:{number + 1:02x}" for number, id in enumerate(ids)}
        self.peer = {id: (host, PEER_PORT) for id, host in self.host.items()}
        self.api = {id: (host, API_PORT) for id, host in self.host.items()}
        self.conditions = dict.fromkeys(links(ids), CLEAR)
        self.made = []
        self.can_delay = False
        try:
            self.make()
            self.can_delay = self.try_netem()
        except NetworkError:
            self.close()
            raise

    def make(self):
        self.ip("link", "add", self.bridge, "type", "bridge")
        self.made.append(("link", "del", self.bridge))
        self.ip("addr", "add", f"{self.subnet}.254/24", "dev", self.bridge)
        self.ip("link", "set", self.bridge, "up")
        for id in self.ids:
            outside = f"v{self.tag}{id}"
            self.ip("netns", "add", self.space(id))
            self.made.append(("netns", "del", self.space(id)))
            self.ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", self.space(id))
            self.ip("link", "set", outside, "master", self.bridge, "up")
            self.within(id, "link", "set", "eth0", "address", self.hardware[id])
            self.within(id, "addr", "add", f"{self.host[id]}/24", "dev", "eth0")
            self.within(id, "link", "set", "lo", "up")
            self.within(id, "link", "set", "eth0", "up")
        self.heal()

    def space(self, id):
        return f"chaos{self.tag}{id}"

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NetworkError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")

    def ip(self, *arguments):
        self.call("ip", *arguments)

    def within(self, id, *arguments):
        self.ip("-n", self.space(id), *arguments)

    def try_netem(self):
        try:
            self.shape(self.ids[0], "netem", "delay", "0ms")
        except NetworkError:
            return False
        self.unshape(self.ids[0])
        return True

    def shape(self, id, *discipline):
        self.call("tc", "-n", self.space(id), "qdisc", "replace", "dev", "eth0", "root", *discipline)

    def unshape(self, id):
        subprocess.run(
            ["tc", "-n", self.space(id), "qdisc", "del", "dev", "eth0", "root"], capture_output=True, check=False)

    # --- What faults ask for

    def peer_address(self, _reader, id):
        return self.peer[id]

    def command(self, id, command):
        return ["ip", "netns", "exec", self.space(id), *command]

    def set(self, conditions):
        """Delay, loss and rate hold for all that a node sends to other nodes and clients: the worst counts."""
        self.conditions.update(conditions)
        for (source, target), condition in conditions.items():
            is_cut = condition.is_silent or condition.is_refused
            address = NOWHERE if is_cut else self.hardware[target]
            self.within(
                source, "neigh", "replace", self.host[target], "lladdr", address, "nud", "permanent", "dev", "eth0")
        for id in {source for source, _ in conditions}:
            self.shape_all(id, [c for (source, _), c in self.conditions.items() if source == id])

    def shape_all(self, id, conditions):
        delay = max(c.delay_milliseconds for c in conditions)
        jitter = max(c.jitter_milliseconds for c in conditions)
        loss = max(c.loss for c in conditions)
        rate = max(c.bytes_per_second for c in conditions)
        if rate:
            self.shape(id, "tbf", "rate", f"{rate}bps", "burst", "32kb", "latency", "400ms")
        elif (delay or loss) and self.can_delay:
            self.shape(id, "netem", "delay", f"{delay:.0f}ms", f"{jitter:.0f}ms", "loss", f"{loss:.0%}")
        else:
            self.unshape(id)

    def heal(self):
        self.set(dict.fromkeys(links(self.ids), CLEAR))

    def reset(self, some):
        """The kernel ends the connections of these links, where it can (`ss --kill`)."""
        for source, target in some:
            subprocess.run(
                ["ip", "netns", "exec", self.space(source), "ss", "-K", "dst", self.host[target]],
                capture_output=True, check=False)

    def started(self, _id):
        """The kernel knows."""

    def ended(self, _id):
        """The kernel knows."""

    def close(self):
        for command in reversed(self.made):
            subprocess.run(["ip", *command], capture_output=True, check=False)
