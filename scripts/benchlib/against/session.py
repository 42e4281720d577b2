"""All sides one after the other, again and again."""

import os
import shutil
import signal
import sys
import tempfile

from benchlib.against.carillon import Carillon
from benchlib.against.comparison import Comparison, order
from benchlib.against.etcd import Etcd
from benchlib.against.jobs import RQ, Celery, Dramatiq, Huey
from benchlib.against.load import loads, pace
from benchlib.against.nats import NATS
from benchlib.against.rabbitmq import RabbitMQ
from benchlib.against.redis import Redis
from benchlib.against.text import BEGIN, END, comparison_text
from benchlib.against.tools import Tools
from benchlib.machine import Machine, file_system
from benchlib.page import rewrite
from benchlib.record import save
from clusterlib.cluster import ClusterError
from clusterlib.connection import Unreachable

PEERS = [Etcd, NATS, RabbitMQ, Redis, Dramatiq, Huey, Celery, RQ]
# Without these a comparison does not take the place of one that has them.
WHOLE = {"etcd", "nats", "rabbitmq", "redis"}
# Syncing costs nothing there, so nothing could be compared.
MEMORY = {"tmpfs", "ramfs"}


def peer_classes(text):
    """`etcd,redis`."""
    known = {peer.name: peer for peer in PEERS}
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no peer is called {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def compare(options, find_binary, page):
    """What `scripts/bench --against` does."""
    try:
        classes = peer_classes(options.against)
    except ValueError as error:
        sys.exit(f"bench: {error}")
    tools = Tools(options.peers, options.python_environment)
    times = pace(options.quick)
    peers = [peer(tools, times) for peer in classes]
    place = options.directory or tempfile.gettempdir()
    if missing := tools.missing(peers):
        sys.exit("bench: " + "\nbench: ".join(missing))
    if (kind := file_system(place)) in MEMORY:
        sys.exit(f"bench: {place} is no disk but {kind}: name a directory with --directory")
    # What is started has to be ended, also when this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))

    plan = planned(loads(options.quick), peers, options.names)
    if not plan:
        sys.exit("bench: none of them takes such a load; there are: submit, run, failover (not with --quick)")
    binary = find_binary()
    sides = [Carillon(tools, times, binary), *peers]
    machine = Machine(binary, options.directory)
    comparison = Comparison()
    try:
        for number in range(options.rounds):
            machine.look()
            comparison.begin_round()
            for side in order([side for side in sides if takes_any(side, plan)], number):
                print(f"round {number + 1} of {options.rounds}: {side.name} …", file=sys.stderr, flush=True)
                try:
                    measure(side, plan, comparison, options.directory)
                except (ClusterError, Unreachable) as error:
                    # One of the others that does not come back must not cost the figures of all.
                    if side is sides[0]:
                        raise
                    comparison.failed(side.name, str(error).partition("\n")[0])
                    print(f"bench: {comparison.failures[-1]}", file=sys.stderr, flush=True)
                # After each: what took long is not lost if a later one fails.
                save(options.json, machine, comparison.raw())
    except (ClusterError, Unreachable) as error:
        sys.exit(f"bench: {error}")
    text = comparison_text(comparison, machine, sides, options.rounds, options.quick)
    print(text)
    is_whole = WHOLE <= {peer.name for peer in peers} and not options.quick and not options.names
    if options.write or is_whole:
        rewrite(options.write or page, text, BEGIN, END)


def planned(all_loads, peers, names):
    """What can be compared with one of them; of the kinds that are named, if any are."""
    return [
        load for load in all_loads
        if any(takes_any(peer, [load]) for peer in peers) and (not names or load.kind.startswith(tuple(names)))
    ]


def takes_any(side, plan):
    return any(way.takes(load) for way in side.ways for load in plan)


def measure(side, plan, comparison, place):
    """All loads on one side, which has the machine to itself meanwhile and leaves nothing to be written for the next."""
    directory = tempfile.mkdtemp(dir=place, prefix="carillon-against-")
    try:
        side.start(directory)
        for load in plan:
            for way in side.ways:
                if way.takes(load):
                    comparison.add(load, way, side.measure(way, load))
    finally:
        side.close()
        shutil.rmtree(directory, ignore_errors=True)
        os.sync()
