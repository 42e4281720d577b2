"""What the figures were measured on."""

import datetime
import os
import platform
import socket
import statistics
import subprocess
import tempfile
import time

from clusterlib.cluster import ROOT

PROBE_SYNCS = 300
PROBE_BYTES = 4096
PROBE_TRIPS = 2_000
MESSAGE_BYTES = 256


class Machine:
    """`look` is called in each round: disks and neighbours change."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory or tempfile.gettempdir()
        self.syncs = []
        self.trips = []
        self.loads = []
        # What is measured, not what the sources are when it is done.
        self.commit = commit(binary) if os.path.realpath(binary).startswith(f"{ROOT}/.build/") else ""

    def look(self):
        self.loads.append(os.getloadavg()[0])
        self.syncs.append(sync_microseconds(self.directory))
        self.trips.append(trip_microseconds())

    @property
    def sync_microseconds(self):
        return statistics.median(self.syncs)

    @property
    def trip_microseconds(self):
        return statistics.median(self.trips)

    def facts(self):
        version = subprocess.run([self.binary, "version"], capture_output=True, text=True, check=True)
        return {
            "processor": first("/proc/cpuinfo", "model name") or platform.machine(),
            "processors": os.cpu_count(),
            "memory": f"{round(int(first('/proc/meminfo', 'MemTotal').split()[0]) / 1e6)} GB",
            "kernel": platform.release(),
            "file system": file_system(self.directory),
            "fdatasync of 4 KiB, µs": round(self.sync_microseconds),
            "loopback round trip of 256 bytes, µs": round(self.trip_microseconds),
            "load before the rounds": ", ".join(f"{load:.1f}" for load in self.loads),
            "version": version.stdout.strip() + self.commit,
            "on": datetime.date.today().isoformat(),
        }


def commit(binary):
    """Of the sources beside this script, of which the executable was made; nothing if they are newer than that is."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout.strip()

    if newest_source() > os.stat(binary).st_mtime:
        return ""
    try:
        changed = ", changed" if git("status", "--porcelain", "--", "Sources", "Package.swift") else ""
        return f" ({git('rev-parse', '--short', 'HEAD')}{changed})"
    except (OSError, subprocess.CalledProcessError):
        return ""


def newest_source():
    """When a file of the executable was last changed, in seconds since the epoch."""
    paths = [f"{ROOT}/Package.swift"]
    for place, _, names in os.walk(f"{ROOT}/Sources"):
        paths += [os.path.join(place, name) for name in names]
    return max(os.stat(path).st_mtime for path in paths)


def first(path, name):
    """What stands behind `name:` in the first line that has it."""
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return ""


def file_system(directory):
    """The type of the file system that is mounted deepest above the directory."""
    best, kind = "", "unknown"
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            _, place, found, *_ = line.split()
            inside = os.path.realpath(directory).startswith(place.rstrip("/") + "/")
            if inside and len(place) >= len(best):
                best, kind = place, found
    return kind


def sync_microseconds(directory):
    """Median time to write 4 KiB over zeros and sync them, as a log does."""
    times = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(bytes(PROBE_BYTES * PROBE_SYNCS))
        file.flush()
        os.fsync(file.fileno())
        block = os.urandom(PROBE_BYTES)
        for number in range(PROBE_SYNCS):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), block, number * PROBE_BYTES)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(times)


def trip_microseconds():
    """Median time for a message to another process of this machine, and back, over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = os.fork()
        if child == 0:
            echo(server)
        try:
            with socket.create_connection(server.getsockname()) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return statistics.median(trips(connection))
        finally:
            os.waitpid(child, 0)


def trips(connection):
    message = bytes(MESSAGE_BYTES)
    for _ in range(PROBE_TRIPS):
        begun = time.perf_counter()
        connection.sendall(message)
        left = MESSAGE_BYTES
        while left > 0:
            left -= len(connection.recv(left))
        yield (time.perf_counter() - begun) * 1e6


def echo(server):
    """The other process: it ends with the connection."""
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while message := connection.recv(MESSAGE_BYTES):
        connection.sendall(message)
    os._exit(0)
