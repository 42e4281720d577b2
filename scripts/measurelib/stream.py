"""A steady stream of submissions, with every latency, gap and failure of it."""

import threading
import time

from clusterlib.connection import Connection, Unreachable


class Stream:
    """As many submissions as answers allow, from clients that each keep to one node and go to the next when it no
    longer takes connections, as a client with several addresses does.

    A failure is any other answer than a task, and a connection that is lost while an answer is due. A connection
    that is refused, or closed between two requests, is none: nothing was asked.
    """

    def __init__(self, cluster, clients, timeout=15):
        self.addresses = dict(cluster.api)
        self.timeout = timeout
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        # (when it was sent, when it was answered)
        self.answers = []
        self.failures = []
        self.moves = 0
        self.threads = [
            threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, turn):
        ids = list(self.addresses)
        connection = Connection(self.addresses[ids[turn % len(ids)]], self.timeout)
        while not self.is_over.is_set():
            if is_closed(connection):
                connection.close()
            begun = time.monotonic()
            try:
                reply = connection.request(
                    "POST", "/v1/tasks", b'{"handler":"echo"}', "Content-Type: application/json\r\n")
                ended = time.monotonic()
                with self.lock:
                    if reply.status == 201:
                        self.answers.append((begun, ended))
                    else:
                        self.failures.append(f"{reply.status} {reply.body[:200]!r}")
            except Unreachable as error:
                with self.lock:
                    if error.was_sent:
                        self.failures.append(str(error))
                    else:
                        self.moves += 1
                turn += 1
                connection = Connection(self.addresses[ids[turn % len(ids)]], self.timeout)

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def await_first(self):
        while not self.answers and not self.failures:
            time.sleep(0.005)

    def longest_gap(self, begin, end):
        """The longest time within which no answer came."""
        with self.lock:
            times = sorted(answered for _, answered in self.answers if begin <= answered <= end)
        times = [begin, *times, end]
        return max(later - earlier for earlier, later in zip(times, times[1:]))


def is_closed(connection):
    """Whether the node has ended an idle connection."""
    if not connection.socket:
        return False
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.socket.settimeout(connection.timeout)
