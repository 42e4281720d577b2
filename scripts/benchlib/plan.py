"""The measurements, in their order."""

from dataclasses import dataclass, field
from typing import Callable

from clusterlib.cluster import ClusterError

# Names of figures as `carillon bench` tells them.
SUBMIT = ["tasksPerSecond", "latencyP50Milliseconds", "latencyP99Milliseconds", "latencyP999Milliseconds"]
DONE = ["donePerSecond", "doneP50Milliseconds", "doneP99Milliseconds"]
START = [*DONE, "startP50Milliseconds", "startP99Milliseconds"]
LATE = [
    "recordedLatenessP50Milliseconds", "recordedLatenessP99Milliseconds", "recordedLatenessP999Milliseconds",
    "heardLatenessP50Milliseconds", "heardLatenessP99Milliseconds", "heardLatenessP999Milliseconds",
]
BEGUN = ["begunWithinP50Milliseconds", "begunWithinP99Milliseconds", "begunWithinP999Milliseconds"]
GENERATOR = ["generatorCPUShare"]


@dataclass
class Measurement:
    """`name` begins with the command's. A run of it may have several rows, one for each combination of options."""

    name: str
    words: list
    keys: list
    # Which of a run's settings name the row.
    row: list = field(default_factory=list)
    needs_others: bool = False
    needs_fresh_nodes: bool = False
    # Given the figures so far, further words: a rate that depends on what was possible. And how they are told.
    further: Callable = lambda results: []
    further_told: str = ""

    def measure(self, nodes, results):
        return nodes.bench([*self.words, *self.further(results)])["runs"]

    @property
    def command(self):
        return "carillon bench " + " ".join(self.words) + self.further_told


@dataclass
class Strikes(Measurement):
    """The leader is struck down, again and again; each strike is a value of its own."""

    count: int = 1

    def measure(self, nodes, results):
        runs = []
        for _ in range(self.count):
            runs += nodes.strike(self.words[1:])["runs"]
        return runs

    @property
    def command(self):
        return super().command + f" --pid … --rounds 1, {self.count} times"


class Call(Measurement):
    """An http handler, which this measurement answers itself."""

    def measure(self, nodes, results):
        return nodes.bench([*self.words, "--serve", nodes.service])["runs"]

    @property
    def command(self):
        return super().command + " --serve HOST:PORT"


class Memory(Measurement):
    """Then each node in turn is killed, and starts again with all of it: from a snapshot and the log behind it."""

    def measure(self, nodes, results):
        runs = nodes.bench([*self.words, "--keep"])["runs"]
        for run in runs:
            run["readySeconds"] = nodes.restart(run["node"])
        return runs

    @property
    def command(self):
        return super().command + " --keep, then kill -9 and a start: scripts/bench memory"


@dataclass
class Idle(Measurement):
    """Nothing is asked of the nodes."""

    seconds: int = 20

    def measure(self, nodes, results):
        return nodes.rest(self.seconds)

    @property
    def command(self):
        return "scripts/bench idle"


def half(name, tasks_a_request=1):
    """Half of what the measurement `name`, without a rate, has done in the first round: one rate for all of them."""
    def rate(results):
        try:
            whole = results.first(name, "donePerSecond")
        except KeyError:
            raise ClusterError(
                f"half of that rate can only be measured after the whole: name \"{name}\" as well") from None
        return ["--rate", str(max(1, round(whole / 2 / tasks_a_request)))]

    return rate


# Of arrays of tasks that run.
BULK = 100


def measurements(quick):
    seconds = ["--seconds", "2", "--warmup", "1"] if quick else ["--seconds", "10", "--warmup", "2"]
    strikes = 3 if quick else 17
    tasks = "100000" if quick else "1000000"
    return [
        Measurement(
            "submit", ["submit", "--connections", "1,16,64,256", *seconds], SUBMIT + GENERATOR, ["connections"]
        ),
        Measurement(
            "submit to the leader", ["submit", "--connections", "1,64", "--to", "leader", *seconds],
            SUBMIT + GENERATOR, ["connections"],
        ),
        Measurement(
            "submit to followers", ["submit", "--connections", "1,64", "--to", "followers", *seconds],
            SUBMIT + GENERATOR, ["connections"], needs_others=True,
        ),
        Measurement(
            "submit payloads", ["submit", "--connections", "64", "--payload", "64,4096", *seconds],
            SUBMIT + GENERATOR, ["payloadBytes"],
        ),
        Measurement(
            "submit in bulk", ["submit", "--connections", "16", "--bulk", "100,1000", *seconds],
            SUBMIT + GENERATOR, ["bulk"],
        ),
        Measurement("submit at a rate", ["submit", "--rate", "5000", *seconds], SUBMIT + GENERATOR),
        Measurement("run", ["run", "--connections", "64", *seconds], DONE + GENERATOR),
        Measurement(
            "run, many clients", ["run", "--connections", "256", "--outstanding", "4000", *seconds], DONE + GENERATOR
        ),
        Measurement(
            "run in bulk", ["run", "--connections", "8", "--bulk", str(BULK), "--outstanding", "4000", *seconds],
            DONE + GENERATOR,
        ),
        Measurement(
            "run in bulk at half of that rate", ["run", "--connections", "8", "--bulk", str(BULK), *seconds],
            START + GENERATOR, further=half("run in bulk", BULK), further_told=" --rate HALF",
        ),
        Measurement(
            "run at half of that rate", ["run", "--connections", "64", *seconds], START + GENERATOR, further=half("run"),
            further_told=" --rate HALF",
        ),
        Measurement(
            "run at a rate", ["run", "--connections", "64", "--rate", "12500", *seconds], START + GENERATOR
        ),
        Measurement(
            "run a command", ["run", "--handler", "true", "--outstanding", "400", *seconds], DONE + GENERATOR
        ),
        Call("run a call", ["run", "--handler", "call", "--outstanding", "400", *seconds], DONE + GENERATOR),
        Measurement(
            "precision, 20 a second",
            ["precision", "--per-second", "20", "--seconds", "5" if quick else "30"],
            [*BEGUN, *LATE, "recordedEarly", "heardEarly"],
        ),
        Measurement(
            "precision, 1000 a second",
            ["precision", "--per-second", "1000", "--seconds", "5" if quick else "30"],
            [*BEGUN, *LATE, "recordedEarly", "heardEarly"],
        ),
        Measurement(
            "precision, 1000 each second",
            ["precision", "--per-second", "1000", "--together", "--seconds", "5" if quick else "60"],
            [*BEGUN, *LATE, "recordedEarly", "heardEarly"],
        ),
        Measurement(
            "schedules", ["schedules", "--schedules", "200" if quick else "1000"],
            [*LATE, "recordedEarly", "unaccounted"],
        ),
        Strikes(
            "failover, killed", ["failover", "--signal", "kill"], ["gapMaxMilliseconds", "silenceMaxMilliseconds"],
            needs_others=True, count=strikes,
        ),
        Strikes(
            "failover, stopped", ["failover", "--signal", "stop"], ["gapMaxMilliseconds", "silenceMaxMilliseconds"],
            needs_others=True, count=strikes,
        ),
        # These behind all that they would disturb: they leave gigabytes to be forgotten.
        Measurement(
            "submit in bulk, other clients",
            ["submit", "--connections", "1,64,256", "--bulk", "100", *seconds], SUBMIT + GENERATOR, ["connections"],
        ),
        Measurement(
            "submit payloads in bulk",
            ["submit", "--connections", "16", "--bulk", "100", "--payload", "64,4096", *seconds],
            SUBMIT + GENERATOR, ["payloadBytes"],
        ),
        Idle(
            "idle", [], ["cpuShare", "residentBytes", "entries"], ["node"], needs_fresh_nodes=True,
            seconds=5 if quick else 30,
        ),
        Memory(
            "memory", ["memory", "--tasks", tasks], ["beforeBytes", "filledBytes", "settledBytes", "bytesPerTask", "readySeconds"],
            ["node"], needs_fresh_nodes=True,
        ),
    ]
