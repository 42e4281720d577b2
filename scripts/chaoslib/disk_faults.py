"""Faults of one node's disk. The next one waits until the node has recovered: with damage on a majority at once
no cluster could keep its word."""

import os
import re
import resource
import shutil
import time

from chaoslib.disks import MARGIN_BYTES
from chaoslib.fault import Fault

SECTOR_BYTES = 512


def reason_in(said):
    """The last reason that a node gives in what it has said, as much of it as fits; nothing if there is none."""
    found = re.findall(r'reason="([^\n]*)"', said)
    return found[-1][:240] if found else ""


class DiskFault(Fault):
    """Damage to the files of a stopped node, which is then started on them.

    It may go on (the damage hit nothing that counts, or it was repaired from its peers), or refuse with a message
    and status 1. Then its operator brings it back: as a new member, or from a copy of what was there.
    """

    seconds = (3.0, 8.0)
    goes_with_others = False

    def begin(self):
        self.one = self.random.choice(self.ids)
        if self.random.random() < 0.7:
            self.cluster.kill(self.one)
        else:
            self.cluster.terminate(self.one)
        self.data = self.cluster.data(self.one)
        self.copy = f"{self.cluster.directory}/before-damage"
        shutil.copytree(self.data, self.copy)
        what = self.damage()
        self.cluster.may_end.add(self.one)
        self.log_begin = os.path.getsize(self.log_path())
        self.cluster.start(self.one)
        return f"{self.one}: {what}"

    def damage(self):
        """Says what was done."""
        raise NotImplementedError

    def log_path(self):
        return f"{self.cluster.directory}/{self.one}.log"

    def said(self):
        with open(self.log_path(), encoding="utf-8", errors="replace") as log:
            log.seek(self.log_begin)
            return log.read()

    def end(self):
        report = self.chaos.report
        status = self.verdict()
        if status is None:
            report.count(f"nodes that went on: {self.kind}")
        elif status == 1:
            report.count(f"nodes that refused: {self.kind}")
            reason = reason_in(self.said())
            report.line(f"        {self.one} refuses: {reason}")
            if not reason:
                report.violation("a node that stops says why", f"{self.one}: {self.said()[-500:]}")
            self.bring_back()
        else:
            report.violation(
                "damage is found, and not run into", f"{self.one} ended with status {status}: {self.said()[-1500:]}")
        shutil.rmtree(self.copy, ignore_errors=True)

    def verdict(self):
        """The status with which it ended; None if it has found its place again, or is about to."""
        end = time.monotonic() + 30
        while time.monotonic() < end and self.one not in self.chaos.ended and not self.cluster.is_ready(self.one):
            self.chaos.watch()
            time.sleep(0.1)
        self.chaos.watch()
        self.cluster.may_end.discard(self.one)
        return self.chaos.ended.pop(self.one, None)

    def bring_back(self):
        if self.chaos.membership.is_possible:
            self.chaos.membership.replace(self.one)
            return
        shutil.rmtree(self.data)
        shutil.copytree(self.copy, self.data)

    # --- Files

    def files(self):
        """All that a node has written."""
        found = []
        for folder, _, names in os.walk(self.data):
            for name in names:
                path = f"{folder}/{name}"
                if os.path.getsize(path) > 0 and name != "lock":
                    found.append(path)
        return sorted(found)

    def some_file(self):
        """Any of them; mostly one that holds a part of the log or of a snapshot."""
        files = self.files()
        used = [path for path in files if os.path.basename(path).startswith(("segment", "snapshot"))]
        return self.random.choice(used if used and self.random.random() < 0.9 else files)

    def some_position(self, content):
        """Mostly within what is written; a segment's end is zeros."""
        used = len(content.rstrip(b"\0")) or len(content)
        return self.random.randrange(used if self.random.random() < 0.95 else len(content))

    def name(self, path):
        return os.path.relpath(path, self.data)


class BitFlips(DiskFault):
    kind = "disk: bits flipped"

    def damage(self):
        path = self.some_file()
        places = []
        with open(path, "r+b") as file:
            content = file.read()
            for _ in range(self.random.choice([1, 1, 1, 2, 8])):
                position = self.some_position(content)
                file.seek(position)
                file.write(bytes([content[position] ^ (1 << self.random.randrange(8))]))
                places.append(str(position))
        return f"{self.name(path)} at {', '.join(places)}"


class LostSector(DiskFault):
    kind = "disk: a sector lost or astray"

    def damage(self):
        path = self.some_file()
        with open(path, "r+b") as file:
            content = file.read()
            sector = self.some_position(content) // SECTOR_BYTES * SECTOR_BYTES
            other = self.some_position(content) // SECTOR_BYTES * SECTOR_BYTES
            draw = self.random.choice(["zeros", "junk", "another sector"])
            replacement = {
                "zeros": bytes(SECTOR_BYTES),
                "junk": self.random.randbytes(SECTOR_BYTES),
                "another sector": content[other : other + SECTOR_BYTES],
            }[draw]
            size = min(SECTOR_BYTES, len(content) - sector)
            file.seek(sector)
            file.write(replacement[:size])
        return f"{self.name(path)} has {draw} at {sector}"


class Cut(DiskFault):
    kind = "disk: a file cut off"

    def damage(self):
        path = self.some_file()
        with open(path, "r+b") as file:
            position = self.some_position(file.read())
            file.truncate(position)
        return f"{self.name(path)} ends at {position}"


class FileGone(DiskFault):
    kind = "disk: a file gone"

    def damage(self):
        path = self.some_file()
        os.remove(path)
        return self.name(path)


class Wiped(Fault):
    kind = "disk: everything gone"
    goes_with_others = False
    seconds = (0.0, 3.0)

    @classmethod
    def is_possible(cls, chaos):
        return chaos.membership.is_possible

    def begin(self):
        self.one = self.leader_or_any()
        self.cluster.kill(self.one)
        return f"{self.one}, which comes back as a new member"

    def end(self):
        self.chaos.membership.replace(self.one)


class Full(Fault):
    """Writes fail: the node must stop at once, with a message, and come back when there is room."""

    kind = "disk: full"
    goes_with_others = False
    seconds = (8.0, 20.0)

    def begin(self):
        self.one = self.leader_or_any()
        self.process = self.cluster.processes[self.one]
        self.log_begin = os.path.getsize(f"{self.cluster.directory}/{self.one}.log")
        self.cluster.may_end.add(self.one)
        return f"{self.one}: {self.fill()}"

    def fill(self):
        if self.chaos.disks:
            return f"{self.chaos.disks.fill(self.one, self.random.randrange(0, 4 << 20))} bytes left"
        # No room beyond some place in every file: the write that crosses it is cut short, the next one fails.
        limit = self.log_begin + MARGIN_BYTES + self.random.randrange(8 << 20)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        return f"no file may grow beyond {limit} bytes"

    def end(self):
        report = self.chaos.report
        self.chaos.watch()
        self.cluster.may_end.discard(self.one)
        status = self.chaos.ended.pop(self.one, None)
        if self.chaos.disks:
            self.chaos.disks.free(self.one)
        elif status is None:
            resource.prlimit(
                self.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with open(f"{self.cluster.directory}/{self.one}.log", encoding="utf-8", errors="replace") as log:
            log.seek(self.log_begin)
            said = log.read()
        if status is None:
            report.count(f"nodes that went on: {self.kind}")
            return
        report.count(f"nodes that stopped: {self.kind}")
        reason = reason_in(said)
        report.line(f"        {self.one} stopped: {reason}")
        if status != 1 or not reason:
            report.violation(
                "a node whose disk fails stops with a message", f"{self.one}, status {status}: {said[-1500:]}")


class SlowDisk(Fault):
    """The log thread alone is held up now and then, as by a disk that stalls; the loop goes on."""

    kind = "disk: stalls"
    seconds = (2.0, 6.0)

    @classmethod
    def is_possible(cls, chaos):
        return chaos.disks is not None

    def begin(self):
        self.one = self.leader_or_any()
        return self.one

    def hold(self):
        with self.chaos.disks.frozen(self.one):
            time.sleep(self.random.uniform(0.05, 0.8))


DISK_FAULTS = [BitFlips, LostSector, Cut, FileGone, Wiped, Full, SlowDisk]
