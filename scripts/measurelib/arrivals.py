"""Submissions that come at a steady rate, whatever became of those before them."""

import selectors
import socket
import threading
import time
from collections import deque

from measurelib.load import percentile

BODY = b'{"handler":"echo"}'
MAX_CONNECTIONS = 500
LONGEST_WAIT_SECONDS = 0.05


class Arrivals:
    """`rate` submissions a second, each by a connection that is free, to the nodes in turn.

    What is slow holds up nothing else: when every connection waits for an answer, another is opened, up to a bound.
    With a small number of clients that wait for their answers, a service that takes a little longer than they have
    between two requests would be charged with a queue that is theirs. A latency counts from when a submission was
    due, so neither a stop of the service nor one of this client hides any.

    A failure is any other answer than a task, none in time, and a connection that is lost while an answer is due. A
    connection that is refused, or closed between two requests, is none: nothing was asked, and the next node is.
    """

    def __init__(self, cluster, connections, rate, timeout=15):
        self.timeout = timeout
        self.interval = 1 / rate
        self.free = {address: deque() for address in cluster.api.values()}
        self.turns = deque(self.free)
        self.selector = selectors.DefaultSelector()
        self.count = 0
        # (when it was due, when it was answered)
        self.answers = []
        self.failures = []
        self.is_over = threading.Event()
        for _ in range(connections):
            self.give_back(self.opened(self.turns[0]))
            self.turns.rotate(-1)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def take_in(self, address):
        """A further node is submitted to. Called from any thread: it can take connections before it has turns."""
        self.free[address] = deque()
        self.turns.append(address)

    def run(self):
        due = time.monotonic()
        while not self.is_over.is_set():
            while due <= time.monotonic() and self.submit(due):
                due += self.interval
            self.receive(max(0.0005, due - time.monotonic()))
        end = time.monotonic() + self.timeout
        while any(each.data.due for each in self.selector.get_map().values()):
            self.receive(LONGEST_WAIT_SECONDS)
            if time.monotonic() > end:
                self.failures.append("no answer in time")
                break
        for each in list(self.selector.get_map().values()):
            self.close(each.data)

    def submit(self, due):
        """False if that has to wait for a connection."""
        while self.turns:
            address = self.turns[0]
            if not self.free[address] and self.count >= MAX_CONNECTIONS:
                return False
            self.turns.rotate(-1)
            exchange = None
            try:
                exchange = self.free[address].pop() if self.free[address] else self.opened(address)
                exchange.begin(due)
            except ConnectionRefusedError:
                self.turns.remove(address)
                continue
            except OSError as error:
                self.fail(exchange, error)
            return True
        self.failures.append("no node takes connections")
        return True

    def opened(self, address):
        exchange = Exchange(address, self.timeout)
        self.count += 1
        self.selector.register(exchange.socket, selectors.EVENT_READ, exchange)
        return exchange

    def give_back(self, exchange):
        self.free[exchange.address].append(exchange)

    def receive(self, seconds):
        for key, _ in self.selector.select(min(seconds, LONGEST_WAIT_SECONDS)):
            exchange = key.data
            try:
                reply = exchange.receive()
            except (OSError, ValueError, IndexError) as error:
                if exchange.due:
                    self.fail(exchange, error)
                else:
                    self.free[exchange.address].remove(exchange)
                    self.close(exchange)
                continue
            if not reply:
                continue
            status, body, is_last = reply
            if status == 201:
                self.answers.append((exchange.due, time.monotonic()))
            else:
                self.failures.append(f"{status} {body[:200]!r}")
            exchange.due = 0
            if is_last:
                self.close(exchange)
            else:
                self.give_back(exchange)

    def fail(self, exchange, error):
        self.failures.append(str(error) or type(error).__name__)
        if exchange:
            self.close(exchange)

    def close(self, exchange):
        self.selector.unregister(exchange.socket)
        exchange.socket.close()
        self.count -= 1

    def stop(self):
        self.is_over.set()
        self.thread.join()

    def await_first(self):
        while not self.answers and not self.failures:
            time.sleep(0.005)

    # --- What came of it. Only after `stop`: to sort it would hold up what is being measured.

    def latencies(self, *periods):
        """Of what was due from the begin to the end of one of them: who got no answer in this time counts as well."""
        return [answered - due for due, answered in self.answers if any(begin <= due < end for begin, end in periods)]

    def longest_gap(self, begin, end):
        """The longest time within which no answer came."""
        times = sorted(answered for _, answered in self.answers if begin <= answered <= end)
        times = [begin, *times, end]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def per_second(self, *periods):
        return len(self.latencies(*periods)) / sum(end - begin for begin, end in periods)

    def p99_milliseconds(self, *periods):
        return round(percentile(self.latencies(*periods), 0.99) * 1000, 1)


class Exchange:
    """A connection, and the answer it waits for; `due` is when it was due to be asked for, 0 without one."""

    def __init__(self, address, timeout):
        self.address = address
        self.due = 0
        self.buffer = b""
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        host, port = address
        self.request = (
            f"POST /v1/tasks HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        ).encode() + BODY

    def begin(self, due):
        self.due = due
        # The buffer of the socket is empty and larger than this.
        self.socket.send(self.request)

    def receive(self):
        """Status, body and whether the connection ends with it; None while some of it is missing."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise OSError("connection lost")
        self.buffer += part
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        fields = head.lower()
        _, _, length = fields.partition(b"\r\ncontent-length:")
        if len(rest) < int(length.split(b"\r\n")[0]):
            return None
        self.buffer = b""
        return int(head.split()[1]), rest, b"\r\nconnection: close" in fields
