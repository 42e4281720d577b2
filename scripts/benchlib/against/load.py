"""What is put on all sides alike."""

from dataclasses import dataclass

PAYLOAD_BYTES = 256
# With so many connections tasks are submitted in batches.
BATCH_CONNECTIONS = 16


@dataclass(frozen=True)
class Load:
    """`submit`: tasks are acknowledged. `run`: they are done. `failover`: the leader is killed. Only the first has settings."""

    kind: str
    connections: int = 0
    batch: int = 1


@dataclass(frozen=True)
class Way:
    """How a side is spoken to."""

    side: str
    name: str
    kinds: tuple = ("submit",)
    # How many tasks a request can carry.
    batches: tuple = ()
    # What the common load generator calls it; nothing if the side has one of its own.
    mode: str = ""

    def takes(self, load):
        return load.kind in self.kinds and (load.kind != "submit" or load.batch in self.batches)


@dataclass(frozen=True)
class Pace:
    """How long everything takes."""

    seconds: int
    warmup: int
    # Job queues are filled for so long, and then worked off for at most so long.
    fill_seconds: int
    drain_seconds: int
    # How often the leader is killed in a round.
    strikes: int = 3


def loads(quick):
    """Leaders are not killed in a hurry: some of the others take long to come back."""
    connections = [64, 256] if quick else [1, 16, 64, 256]
    batches = [100] if quick else [100, 1000]
    found = [Load("submit", count) for count in connections]
    found += [Load("submit", BATCH_CONNECTIONS, batch) for batch in batches]
    return [*found, Load("run"), *([] if quick else [Load("failover")])]


def pace(quick):
    """Short enough for a round to be over before the machine has changed; more rounds tell more than longer ones."""
    return Pace(1, 1, 2, 4) if quick else Pace(3, 1, 5, 12)
