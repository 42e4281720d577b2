"""What is on this machine of what the comparison needs."""

import json
import os
import re
import shutil
import subprocess

from benchlib.against.load import PAYLOAD_BYTES
from clusterlib.cluster import ROOT, ClusterError

# RabbitMQ's own scripts: those on the path of searches change the user.
PLACES = ["/usr/lib/rabbitmq/bin", *os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"]
JOBS = f"{ROOT}/scripts/peers/jobs"
INSTALLER = "scripts/bench-peers"
SPARE_SECONDS = 90


class Tools:
    """Programs, the loader that scripts/bench-peers builds, and the Python environment that it makes."""

    def __init__(self, directory, python_environment=None):
        self.loader = f"{directory}/peerload"
        self.environment = os.path.abspath(python_environment or f"{directory}/python")

    def program(self, name):
        return shutil.which(name, path=":".join(PLACES))

    def script(self, name):
        """A program of the Python environment."""
        return f"{self.environment}/bin/{name}"

    def missing(self, peers):
        """A line for everything that is not here."""
        lines = []
        for peer in peers:
            for program, package in peer.programs.items():
                if not self.program(program):
                    lines.append(f"{peer.name}: there is no program {program}; Debian's package is {package}")
            for module in peer.modules:
                if not self.module_version(module):
                    lines.append(f"{peer.name}: {self.environment} has no {module}; pip install {module}")
        if any(way.mode for peer in peers for way in peer.ways) and not os.access(self.loader, os.X_OK):
            lines.append(f"the load generator {self.loader} is not built")
        unique = list(dict.fromkeys(lines))
        return [*unique, f"{INSTALLER} installs and builds all of it"] if unique else []

    def module_version(self, name):
        """Nothing if the environment does not have it."""
        ask = f"from importlib.metadata import version; print(version({name!r}))"
        try:
            done = subprocess.run([self.script("python"), "-c", ask], capture_output=True, text=True, check=False)
        except OSError:
            return ""
        return done.stdout.strip()

    def program_version(self, name, *arguments):
        done = subprocess.run([self.program(name), *arguments], capture_output=True, text=True, check=False)
        return first_version(done.stdout + done.stderr)

    # --- The loader

    def prepare(self, mode, address):
        """What the load is put into: a stream, a queue."""
        self.run_loader(["-to", mode, "-address", address, "-prepare"], SPARE_SECONDS)

    def load(self, mode, address, load, pace):
        words = loader_words(mode, address, load.connections, load.batch, pace)
        return json.loads(self.run_loader(words, pace.seconds + pace.warmup + SPARE_SECONDS))

    def strike(self, mode, addresses, group):
        """The leader's process group is killed under load."""
        return json.loads(self.run_loader(strike_words(mode, addresses, group), SPARE_SECONDS))

    def run_loader(self, words, seconds):
        try:
            done = subprocess.run([self.loader, *words], capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise ClusterError(f"peerload {' '.join(words)}: no end after {seconds} s") from None
        if done.returncode != 0:
            raise ClusterError(f"peerload {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


def loader_words(mode, address, connections, batch, pace):
    """What follows `peerload`."""
    return [
        "-to", mode, "-address", address, "-connections", str(connections), "-batch", str(batch),
        "-payload", str(PAYLOAD_BYTES), "-seconds", str(pace.seconds), "-warmup", str(pace.warmup),
    ]


def strike_words(mode, addresses, group):
    return ["-to", mode, "-address", ",".join(addresses), "-payload", str(PAYLOAD_BYTES), "-strike", str(group)]


def first_version(text):
    """`7.0.15` of whatever a program says of itself."""
    found = re.search(r"\d+(\.\d+)+", text)
    return found.group() if found else "unknown"
