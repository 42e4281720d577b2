"""What clients did and heard, with the times between which it happened."""

import json
import threading
import time
from dataclasses import dataclass, replace

OK = "ok"
# It was surely not done.
FAILED = "failed"
# Nobody knows: it may have been done, and may yet be.
UNKNOWN = "unknown"


@dataclass
class Operation:
    """One read or write of a register. `value` is what was written or read."""

    register: str
    is_write: bool
    value: str
    client: str
    node: str
    invoked: float
    returned: float = float("inf")
    outcome: str = UNKNOWN

    def __str__(self):
        verb = "writes" if self.is_write else "reads"
        end = f"{self.returned:.4f}" if self.outcome == OK else self.outcome
        return f"{self.client} through {self.node} {verb} {self.value} [{self.invoked:.4f}, {end}]"


class History:
    """Operations of all clients, kept in memory and in a file of one JSON object a line."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.operations = []
        # Writes that nobody has answered yet, by client: others may read what they write already.
        self.pending = {}
        self.begun = time.monotonic()
        self.file = open(path, "w", encoding="utf-8")  # noqa: SIM115: it lives as long as this

    def now(self):
        """Seconds since the history began; the same clock for all clients."""
        return time.monotonic() - self.begun

    def begin(self, write):
        """Before the request leaves, and `add` follows when it has ended."""
        with self.lock:
            self.pending[write.client] = write

    def add(self, operation):
        with self.lock:
            self.operations.append(operation)
            if operation.is_write:
                self.pending.pop(operation.client, None)
            fields = dict(vars(operation))
            if operation.outcome != OK:
                fields["returned"] = None
            self.file.write(json.dumps({"kind": "register", **fields}) + "\n")

    def note(self, kind, **fields):
        """Something that is kept for whoever reads the file, and is not checked from here."""
        with self.lock:
            self.file.write(json.dumps({"kind": kind, "at": self.now(), **fields}) + "\n")

    def by_register(self):
        with self.lock:
            operations = list(self.operations)
            for write in self.pending.values():
                operations.append(replace(write, returned=float("inf"), outcome=UNKNOWN))
        registers = {}
        for operation in operations:
            registers.setdefault(operation.register, []).append(operation)
        return registers

    def close(self):
        with self.lock:
            self.file.close()
