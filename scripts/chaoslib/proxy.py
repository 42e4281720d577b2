"""Proxies between nodes, in a process of their own: python3 -m chaoslib.proxy.

Standard input has one JSON object a line, and each is answered with a line once it holds:

    {"links": [[source, target, proxy's port, target's address]…]}   first, once
    {"conditions": [[source, target, condition]…]}    see network.Condition
    {"reset": [[source, target]…]}                    reset what is connected now
    {"down": node}, {"up": node}                      whether its process lives

A link is what `source` calls `target` through. TCP loses nothing in its middle, so a silent link holds
back what it is given until it is heard again, as the sender's kernel would by repeating it.

A call to a node whose process has ended must be refused, as it would be without a proxy: nodes tell
a crash from a fault of the network by that. So the ports of links to such a node are closed.
"""

import asyncio
import json
import random
import socket
import struct
import sys

from chaoslib.hello import HEADER_BYTES, payload_bytes, readdressed

CHUNK_BYTES = 64 << 10
# Held back for one direction of one connection; then its sender has to wait.
MAX_HELD_CHUNKS = 64
# What a repetition takes: the kernel's shortest, and a few times that.
REPEAT_SECONDS = (0.2, 0.8)


class Flow:
    """One direction between two nodes."""

    def __init__(self):
        self.condition = {}
        self.heard = asyncio.Event()
        self.heard.set()
        self.free_at = 0.0

    def set(self, condition):
        self.condition = condition
        if condition["is_silent"]:
            self.heard.clear()
        else:
            self.heard.set()

    def arrival(self, now, count):
        """When `count` bytes that are sent now come out at the other end."""
        condition = self.condition
        if not condition:
            return now
        at = now + condition["delay_milliseconds"] / 1000
        at += random.random() * condition["jitter_milliseconds"] / 1000
        if random.random() < condition["loss"]:
            at += random.uniform(*REPEAT_SECONDS)
        if condition["bytes_per_second"]:
            self.free_at = max(now, self.free_at) + count / condition["bytes_per_second"]
            at = max(at, self.free_at)
        return at


def text(address):
    return f"{address[0]}:{address[1]}".encode()


class Link:
    """The port that `source` calls `target` at, and the calls."""

    def __init__(self, proxy, source, target, port, address):
        # What the caller is told of the called, and the called of the caller: addresses of proxies.
        self.near_replacements = [(text(address), text(("127.0.0.1", port)))]
        self.far_replacements = []
        self.there = proxy.flow(source, target)
        self.back = proxy.flow(target, source)
        self.target = target
        self.port = port
        self.address = tuple(address)
        self.server = None
        self.writers = set()
        self.is_refused = False
        self.is_down = True

    async def settle(self):
        """Listens, or not."""
        wanted = not (self.is_refused or self.is_down)
        if wanted and self.server is None:
            self.server = await asyncio.start_server(
                self.called, "127.0.0.1", self.port, limit=CHUNK_BYTES
            )
        elif not wanted and self.server is not None:
            self.server.close()
            self.server = None
        if self.is_refused:
            self.reset()

    def reset(self):
        for writer in list(self.writers):
            abort(writer)

    async def called(self, reader, writer):
        self.writers.add(writer)
        onward = None
        try:
            await self.there.heard.wait()
            far_reader, onward = await asyncio.open_connection(*self.address, limit=CHUNK_BYTES)
            self.writers.add(onward)
            for each in (writer, onward):
                each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.gather(
                self.carry(reader, onward, self.there, self.far_replacements),
                self.carry(far_reader, writer, self.back, self.near_replacements),
            )
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (writer, onward):
                if each is not None:
                    self.writers.discard(each)
                    abort(each)

    async def carry(self, reader, writer, flow, replacements):
        """Until the end of what `reader` gives: then the connection as a whole is given up."""
        held = asyncio.Queue(MAX_HELD_CHUNKS)
        deliverer = asyncio.ensure_future(self.deliver(held, writer, flow))
        clock = asyncio.get_running_loop().time
        try:
            header = await reader.readexactly(HEADER_BYTES)
            payload = await reader.readexactly(payload_bytes(header))
            first = readdressed(header, payload, replacements)
            await held.put((flow.arrival(clock(), len(first)), first))
            while data := await reader.read(CHUNK_BYTES):
                await held.put((flow.arrival(clock(), len(data)), data))
            await held.put((clock(), b""))
            await deliverer
        finally:
            deliverer.cancel()
        raise ConnectionResetError

    async def deliver(self, held, writer, flow):
        clock = asyncio.get_running_loop().time
        while True:
            at, data = await held.get()
            if at > clock():
                await asyncio.sleep(at - clock())
            await flow.heard.wait()
            if not data:
                return
            writer.write(data)
            await writer.drain()


def abort(writer):
    """With a reset, not with an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            # It is closed already.
            return
    writer.transport.abort()


class Proxy:
    def __init__(self):
        self.flows = {}
        self.links = {}

    def flow(self, source, target):
        return self.flows.setdefault((source, target), Flow())

    async def obey(self, order):
        for source, target, port, address in order.get("links", []):
            self.links[source, target] = Link(self, source, target, port, address)
        for (source, target), link in self.links.items():
            link.far_replacements = self.links[target, source].near_replacements
        for source, target, condition in order.get("conditions", []):
            self.flow(source, target).set(condition)
            self.links[source, target].is_refused = condition["is_refused"]
            await self.links[source, target].settle()
        for source, target in order.get("reset", []):
            self.links[source, target].reset()
        for node, is_down in ((order.get("down"), True), (order.get("up"), False)):
            for link in self.links.values():
                if link.target == node:
                    link.is_down = is_down
                    await link.settle()


async def serve():
    loop = asyncio.get_running_loop()
    # Calls that end because a node is killed are what this is for, and no news.
    loop.set_exception_handler(lambda _loop, _context: None)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    proxy = Proxy()
    while line := await orders.readline():
        try:
            await proxy.obey(json.loads(line))
            print("ok", flush=True)
        except OSError as error:
            print(f"failed: {error}", flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
