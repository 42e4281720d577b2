"""One side that Carillon is compared with."""

import os
import signal
import socket
import statistics
import subprocess
import time

from benchlib.against.tools import loader_words, strike_words
from clusterlib.cluster import ClusterError

MEMBERS = 3
START_SECONDS = 60
HOST = "127.0.0.1"


class Peer:
    """Servers of one kind in a directory of their own. `start` comes first, `close` always last."""

    name = ""
    # Programs that are needed, and Debian's packages that have them.
    programs = {}
    # Packages that are needed in the Python environment.
    modules = []
    ways = []

    def __init__(self, tools, pace):
        self.tools = tools
        self.pace = pace
        self.directory = None
        self.processes = {}

    def start(self, directory):
        raise NotImplementedError

    def measure(self, way, load):
        """The figures of one run, by the names of `carillon bench`."""
        if load.kind == "failover":
            strikes = [self.strike(way) for _ in range(self.pace.strikes)]
            return {
                "gapMedianMilliseconds": statistics.median(strike["gapMaxMilliseconds"] for strike in strikes),
                "gapMaxMilliseconds": max(strike["gapMaxMilliseconds"] for strike in strikes),
                "silenceMaxMilliseconds": max(strike["silenceMaxMilliseconds"] for strike in strikes),
                "errors": {},
            }
        return self.tools.load(way.mode, self.leader_address(), load, self.pace)

    def command(self, way, kind):
        """As it is told to the reader."""
        if kind == "failover":
            return "peerload " + " ".join(strike_words(way.mode, ["HOST:PORT", "…"], "PROCESS"))
        return "peerload " + " ".join(loader_words(way.mode, "HOST:PORT", "N", "B", self.pace))

    def strike(self, way):
        """Kills the leader under load, and brings it back."""
        number = self.leader_number()
        figures = self.tools.strike(way.mode, self.addresses, self.processes[self.member_name(number)].pid)
        self.end(self.member_name(number))
        self.start_member(number)
        self.leader_number()
        return figures

    # --- Members, where there are any

    # Of the clients' side, in the order of their numbers.
    addresses = []

    def member_name(self, number):
        return f"m{number}"

    def start_member(self, number):
        raise NotImplementedError

    def leader(self):
        """The leader's number, if all members are there and have caught up."""
        raise NotImplementedError

    def leader_number(self):
        return self.await_condition("all members are there and have a leader", self.leader)

    def leader_address(self):
        """Where the load goes: to the member that decides, so that nothing has to be passed on."""
        return self.addresses[self.leader_number()]

    def version(self):
        raise NotImplementedError

    # --- Processes

    def spawn(self, name, command, environment=None, directory=None):
        """In a group of its own, for those that are started by a script."""
        with open(f"{self.directory}/{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                cwd=directory or self.directory,
                start_new_session=True,
            )

    def end(self, name):
        process = self.processes.pop(name)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # All of them have ended by themselves.
        process.wait()

    def close(self):
        for name in list(self.processes):
            self.end(name)

    def tail(self, name, lines=10):
        with open(f"{self.directory}/{name}.log", encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def await_condition(self, what, condition, seconds=START_SECONDS):
        """What the condition returns as soon as it is something. That nobody answers yet is no error."""
        end = time.monotonic() + seconds
        while True:
            error = None
            try:
                found = condition()
            except (OSError, ValueError, LookupError, ClusterError) as raised:
                found, error = None, raised
            if found is not None:
                return found
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise ClusterError(f"{self.name}: {name} has ended:\n{self.tail(name)}")
            if time.monotonic() > end:
                raise ClusterError(f"{self.name}: {what}: not after {seconds} s: {error or 'not yet'}")
            time.sleep(0.05)

    def await_port(self, port):
        def connected():
            socket.create_connection((HOST, port), 1).close()
            return True

        self.await_condition(f"port {port} answers", connected)
