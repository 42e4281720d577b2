"""What can go wrong between two nodes, and whoever brings it about."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Condition:
    """How data travels from one node to another; the other direction has a condition of its own."""

    # Nothing arrives, and nobody is told.
    is_silent: bool = False
    # Connections are reset, new ones refused.
    is_refused: bool = False
    delay_milliseconds: float = 0
    jitter_milliseconds: float = 0
    # A share of the data comes late, as if it had been lost and sent again; what follows waits for it.
    loss: float = 0
    bytes_per_second: int = 0

    def encoded(self):
        return asdict(self)


CLEAR = Condition()
SILENT = Condition(is_silent=True)
REFUSED = Condition(is_refused=True)


class NetworkError(Exception):
    """The network does not obey."""


def links(nodes):
    """All ordered pairs."""
    return [(source, target) for source in nodes for target in nodes if source != target]


def links_between(group, others):
    """Both directions."""
    return [link for one in group for two in others for link in ((one, two), (two, one))]
