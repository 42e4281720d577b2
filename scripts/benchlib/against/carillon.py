"""Carillon itself: three nodes, as everybody starts them."""

from benchlib.against.load import PAYLOAD_BYTES, Way
from benchlib.against.peer import MEMBERS, Peer
from benchlib.nodes import BenchNodes

BATCHES = (1, 100, 1000)
TO_LEADER = Way("carillon", "to the leader", batches=BATCHES)
TO_ALL = Way("carillon", "to all nodes", batches=BATCHES)
BY_THEIR_LOADER = Way("carillon", "to the leader, by the load generator of the others", batches=BATCHES, mode="carillon")
RUN = Way("carillon", "64 connections submit meanwhile", ("run",))
RUN_MANY = Way("carillon", "256 connections submit meanwhile", ("run",))
RUN_WORDS = {RUN: ["--connections", "64"], RUN_MANY: ["--connections", "256", "--outstanding", "4000"]}
STRUCK = Way("carillon", "default timing", ("failover",))
# As many tasks a second as the others get while their leader is killed.
STRIKE_WORDS = ["--rate", "200"]


class Carillon(Peer):
    """Driven by `carillon bench`, and beside that by what drives the others, to see what that makes of it."""

    name = "carillon"

    ways = [TO_LEADER, TO_ALL, BY_THEIR_LOADER, RUN, RUN_MANY, STRUCK]

    def __init__(self, tools, pace, binary):
        super().__init__(tools, pace)
        self.binary = binary
        self.nodes = None

    def start(self, directory):
        self.nodes = BenchNodes(self.binary, MEMBERS, directory)
        self.nodes.start_all()
        self.nodes.leader()

    def leader_address(self):
        return "%s:%d" % self.nodes.api[self.nodes.leader()]

    def measure(self, way, load):
        if load.kind == "failover":
            return super().measure(way, load)
        if way.mode:
            figures = super().measure(way, load)
            self.nodes.clean()
            return figures
        (figures,) = self.nodes.bench(words(way, load.connections, load.batch, self.pace))["runs"]
        return figures

    def strike(self, way):
        (figures,) = self.nodes.strike(STRIKE_WORDS)["runs"]
        return figures

    def command(self, way, kind):
        if kind == "failover":
            return "carillon bench failover --rounds 1 " + " ".join(STRIKE_WORDS) + " --pid …"
        if way.mode:
            return super().command(way, kind)
        return "carillon bench " + " ".join(words(way, "N", "B", self.pace))

    def close(self):
        if self.nodes:
            # The directory is not theirs.
            self.nodes.close(keep=True)


def words(way, connections, batch, pace):
    """What follows `carillon bench`."""
    time = ["--payload", str(PAYLOAD_BYTES), "--seconds", str(pace.seconds), "--warmup", str(pace.warmup)]
    if way in RUN_WORDS:
        return ["run", *RUN_WORDS[way], *time]
    to = ["--to", "leader"] if way is TO_LEADER else []
    return ["submit", "--connections", str(connections), "--bulk", str(batch), *to, *time]
