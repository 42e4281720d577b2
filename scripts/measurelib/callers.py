"""Clients that each wait for their answer before they ask again."""

import selectors
import socket
import time

from clusterlib.cluster import ClusterError
from measurelib.load import percentile

ANSWER_SECONDS = 60


class Callers:
    """So many connections, to the nodes in turn, driven by one thread: threads of Python would wait for each other."""

    def __init__(self, cluster, connections):
        addresses = list(cluster.api.values())
        self.lines = [Line(addresses[n % len(addresses)]) for n in range(connections)]
        self.selector = selectors.DefaultSelector()
        for line in self.lines:
            self.selector.register(line.socket, selectors.EVENT_READ, line)

    def close(self):
        self.selector.close()
        for line in self.lines:
            line.socket.close()

    def run(self, requests):
        """Sends all requests, each by the first connection that is free; the seconds that each answer took."""
        requests = iter(requests)
        latencies = []
        asking = sum(self.begin(line, requests) for line in self.lines)
        while asking:
            ready = self.selector.select(ANSWER_SECONDS)
            if not ready:
                raise ClusterError(f"no answer within {ANSWER_SECONDS} s")
            for key, _ in ready:
                line = key.data
                status = line.receive()
                if status is None:
                    continue
                latencies.append(time.monotonic() - line.begun)
                if status not in (200, 201):
                    raise ClusterError(f"answered with {status}")
                if not self.begin(line, requests):
                    asking -= 1
        return latencies

    @staticmethod
    def begin(line, requests):
        request = next(requests, None)
        if request is None:
            return False
        line.begin(request)
        return True


class Line:
    """A connection, and the answer it waits for."""

    def __init__(self, address):
        self.buffer = b""
        self.begun = 0.0
        self.socket = socket.create_connection(address, ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def begin(self, request):
        self.begun = time.monotonic()
        # The buffer of the socket is empty and larger than this.
        self.socket.send(request)

    def receive(self):
        """The status; None while some of the answer is missing."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise ClusterError("a node has closed a connection")
        self.buffer += part
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        _, _, length = head.lower().partition(b"\r\ncontent-length:")
        if len(rest) < int(length.split(b"\r\n")[0]):
            return None
        self.buffer = b""
        return int(head.split()[1])


def request(method, path, body):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def submissions(seconds, body=b'{"handler":"echo"}'):
    """As many as are asked for in that time."""
    once = request("POST", "/v1/tasks", body)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield once


def p99_milliseconds(latencies):
    return percentile(latencies, 0.99) * 1000
