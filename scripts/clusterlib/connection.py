"""A client's connection to one node."""

import json
import socket
from typing import NamedTuple


class Unreachable(Exception):
    """No whole reply came. `was_sent`: whether the node may have seen the request."""

    def __init__(self, reason, was_sent):
        super().__init__(reason)
        self.was_sent = was_sent


class Refused(Unreachable):
    """A reply came, and it was not the one that was asked for."""

    def __init__(self, reply):
        super().__init__(f"{reply.status} {reply.body[:300]!r}", True)
        self.reply = reply


class Reply(NamedTuple):
    status: int
    body: bytes
    fields: dict

    def json(self):
        return json.loads(self.body)

    def problem(self):
        """The last word of the problem's type; nothing if the reply is no problem."""
        try:
            return str(json.loads(self.body).get("type", "")).rpartition(":")[2]
        except (ValueError, AttributeError):
            return ""


class Connection:
    """HTTP/1.1 with keep-alive on a bare socket: http.client takes several times longer a request."""

    def __init__(self, address, timeout=15):
        self.address = address
        self.timeout = timeout
        self.socket = None
        self.buffer = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.buffer = b""

    def request(self, method, path, body=b"", headers=""):
        was_sent = False
        try:
            if not self.socket:
                self.socket = socket.create_connection(self.address, self.timeout)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            host, port = self.address
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
                f"{headers}Content-Length: {len(body)}\r\n\r\n"
            )
            was_sent = True
            self.socket.sendall(head.encode() + body)
            return self.reply()
        except (OSError, ValueError, IndexError) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__, was_sent) from error

    def reply(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = int(lines[0].split()[1])
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        length = int(fields.get(b"content-length", 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        if fields.get(b"connection", b"").lower() == b"close":
            self.close()
        return Reply(status, body, fields)

    def more(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise OSError("connection lost")
        self.buffer += part

    def json(self, method, path, body=b""):
        reply = self.request(method, path, body, "Content-Type: application/json\r\n")
        if reply.status >= 300:
            raise Refused(reply)
        return reply.json()
