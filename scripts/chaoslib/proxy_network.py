"""Nodes on the loopback interface; what they say to each other goes through proxies. Needs no rights."""

import json
import os
import subprocess
import sys

from chaoslib.network import CLEAR, NetworkError, links
from clusterlib.cluster import free_ports


class ProxyNetwork:
    name = "proxies"
    # A proxy can make data late; it can't lose any.
    can_delay = True
    is_loopback = True

    def __init__(self, ids):
        self.ids = ids
        ports = free_ports(2 * len(ids) + len(links(ids)))
        self.peer = {id: ("127.0.0.1", ports.pop()) for id in ids}
        self.api = {id: ("127.0.0.1", ports.pop()) for id in ids}
        self.ports = {link: ports.pop() for link in links(ids)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chaoslib.proxy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
            # Ctrl-C is for the test, which still needs its network while it cleans up.
            start_new_session=True,
        )
        self.order(
            links=[[*link, port, self.peer[link[1]]] for link, port in self.ports.items()]
        )

    def peer_address(self, reader, id):
        """Where `reader` finds `id`."""
        return self.peer[id] if reader == id else ("127.0.0.1", self.ports[reader, id])

    def command(self, _id, command):
        return command

    def order(self, **order):
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        except OSError as error:
            raise NetworkError(f"the proxy is gone: {error}") from error
        if answer != "ok":
            raise NetworkError(f"the proxy says: {answer or 'nothing'}")

    def set(self, conditions):
        """`conditions`: by (source, target)."""
        self.order(conditions=[[*link, c.encoded()] for link, c in conditions.items()])

    def heal(self):
        self.set({link: CLEAR for link in links(self.ids)})

    def reset(self, some):
        self.order(reset=[list(link) for link in some])

    def started(self, id):
        self.order(up=id)

    def ended(self, id):
        self.order(down=id)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
