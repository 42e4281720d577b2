"""One run: a cluster, its clients, round after round of faults and calm, and the verdict."""

import os
import random
import re
import subprocess
import tempfile
import time

from chaoslib.clients import REGISTERS, RegisterClient, Workload
from chaoslib.cluster import ChaosCluster
from chaoslib.disk_faults import DISK_FAULTS
from chaoslib.disks import LoopDisks
from chaoslib.history import OK, History
from chaoslib.linearizability import violation
from chaoslib.membership import Membership
from chaoslib.membership_faults import MEMBERSHIP_FAULTS
from chaoslib.namespaces import NamespaceNetwork
from chaoslib.network_faults import NETWORK_FAULTS
from chaoslib.process_faults import PROCESS_FAULTS
from chaoslib.proxy_network import ProxyNetwork
from chaoslib.report import Report
from chaoslib.verifier import Verifier, check_agreement, check_executions
from clusterlib.cluster import ClusterError, binary_path, node_environment

# After a fault is mended, every node must be ready and caught up within this time.
RECOVERY_SECONDS = 90
# When all faults are over, everything must have ended within this time.
FINISH_SECONDS = 180


class Chaos:
    """What faults work with."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.directory = options.directory or tempfile.mkdtemp(prefix="carillon-chaos-")
        os.makedirs(self.directory, exist_ok=True)
        self.report = Report(f"{self.directory}/chaos.log")
        self.history = History(f"{self.directory}/history.ndjson")
        binary = binary_path(options.binary)
        network = NamespaceNetwork if options.network == "namespaces" else ProxyNetwork
        self.network = network([f"n{n + 1}" for n in range(options.nodes)])
        self.cluster = ChaosCluster(binary, self.network, self.directory, self.report.detail)
        self.has_clock_offset = self.knows("CARILLON_CLOCK_OFFSET", "+1s")
        self.membership = Membership(self)
        self.disks = LoopDisks(self.cluster) if options.loop_disks else None
        # The faults of this round that are not mended yet.
        self.present = []
        # Nodes that ended as they may in the present fault, with their status.
        self.ended = {}
        self.workload = Workload(self.cluster, self.history, self.report, options)
        self.verifier = Verifier(self.workload)

    def knows(self, variable, value):
        """Whether this build takes the environment variable."""
        path = self.cluster.write_configuration(self.cluster.ids[0])
        environment = node_environment({variable: value})
        command = [self.cluster.binary, "check", path]
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0

    # --- The whole

    def run(self):
        report = self.report
        report.line(
            f"seed {self.options.seed}, {self.options.nodes} nodes over {self.network.name}, "
            f"{self.options.minutes:g} minutes, {self.options.rate:g} tasks a second, in {self.directory}")
        try:
            self.cluster.start_all()
            if not self.membership.probe():
                report.line("this build can't change its members: such rounds are left out")
            self.prepare_registers()
            self.workload.start()
            self.verifier.start()
            self.rounds(time.monotonic() + self.options.minutes * 60)
            self.finish()
        except ClusterError as error:
            report.violation("the cluster recovers", str(error))
        except KeyboardInterrupt:
            report.line("interrupted")
        finally:
            self.close()
        return 1 if report.violations else 0

    def prepare_registers(self):
        """Before all else, so that a register that is not there has been lost."""
        first = RegisterClient(self.workload, "first", self.cluster.ids[0], 1)
        for number in range(REGISTERS):
            first.write(f"reg-{number}", f"first-{number}", first.home)
            if self.history.operations[-1].outcome != OK:
                raise ClusterError(f"a quiet cluster does not answer: {self.history.operations[-1]}")

    def rounds(self, end):
        number = 0
        self.calm(2)
        while time.monotonic() < end and not self.report.violations:
            number += 1
            self.round(number)
            if number % 10 == 0:
                self.check_registers()

    # --- One round

    def round(self, number):
        faults = [fault(self) for fault in self.draw()]
        kind = " + ".join(fault.kind for fault in faults)
        self.report.begin_window(kind)
        for fault in faults:
            self.report.line(f"{number:4}  {fault.kind}: {fault.begin()}")
            self.report.count(f"fault: {fault.kind}")
        self.present = faults
        end = time.monotonic() + max(self.random.uniform(*fault.seconds) for fault in faults)
        while time.monotonic() < end:
            self.hold()
            time.sleep(0.1)
        while self.present:
            self.present[-1].end()
            self.present.pop()
        mended = time.monotonic()
        self.recover()
        gap = self.report.end_window()
        self.report.line(
            f"{number:4}    mended; all caught up after {time.monotonic() - mended:.1f} s; "
            f"longest time without an acknowledgement {gap:.2f} s")
        self.calm(self.random.uniform(0.5, 4))

    def hold(self):
        """To be called again and again while faults hold, also by one that waits for something meanwhile: another
        that comes and goes would stay, and what is waited for may not come before it goes."""
        for fault in self.present:
            fault.hold()
        self.watch()

    def draw(self):
        """One fault, or one of the network and another at once."""
        network, process, disk, members = (
            [fault for fault in faults if fault.is_possible(self)]
            for faults in (NETWORK_FAULTS, PROCESS_FAULTS, DISK_FAULTS, MEMBERSHIP_FAULTS)
        )
        if self.options.only:
            wanted = [f for f in network + process + disk + members if re.search(self.options.only, f.kind)]
            return [self.random.choice(wanted)]
        kinds = [network] * 4 + [process] * 4 + [disk] * 2 + ([members] * 2 if members else [])
        one = self.random.choice(self.random.choice(kinds))
        other = self.random.choice([f for f in network if f.leaves_majority or not one.needs_majority])
        if one not in network and one.goes_with_others and self.random.random() < 0.4:
            return [other, one]
        return [one]

    def recover(self):
        """Starts what is down, and waits until all nodes are ready and have caught up."""
        for id in self.cluster.stopped():
            self.cluster.start(id)
        end = time.monotonic() + RECOVERY_SECONDS
        while not self.cluster.is_caught_up():
            self.watch()
            if time.monotonic() > end:
                views = {id: self.cluster.view(id) for id in self.cluster.ids}
                raise ClusterError(f"not all nodes have caught up {RECOVERY_SECONDS} s after all was mended: {views}")
            time.sleep(0.05)

    def calm(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch()
            time.sleep(0.1)

    def watch(self):
        """A node that ends without our doing breaks the rules, unless the present fault allows it."""
        for id, status in self.cluster.ended_by_themselves().items():
            if id in self.cluster.may_end:
                self.ended[id] = status
                self.report.detail(f"{id} ended with status {status}, as it may")
            else:
                self.report.violation(
                    "no node ends by itself", f"{id}, status {status}:\n{self.cluster.tail(id)}")

    # --- The verdict

    def check_registers(self):
        for register, operations in sorted(self.history.by_register().items()):
            if problem := violation(operations):
                self.report.violation("registers are linearizable", f"{register}: {problem}")

    def finish(self):
        report = self.report
        if report.violations:
            return
        report.line("no more faults: everything must end")
        self.recover()
        for name in self.workload.stop(FINISH_SECONDS):
            report.violation("every request is answered", f"{name} still waits")
        for key in self.workload.keys_without_answer:
            report.violation("every request is answered", f"{key} was never taken")
        self.verifier.finish(FINISH_SECONDS)
        self.watch()
        self.check_registers()
        self.recover()
        check_agreement(self.workload)
        check_executions(self.workload)

    def close(self):
        self.workload.is_over.set()
        self.verifier.is_over.set()
        report = self.report
        if report.violations:
            self.check_registers()
        report.line("what was done:")
        report.summary()
        self.cluster.close(keep=True)
        self.network.close()
        if self.disks:
            self.disks.close()
        if report.violations:
            report.line(f"{len(report.violations)} violation(s), seed {self.options.seed}:")
            for rule in sorted({rule for rule, _ in report.violations}):
                found = [what for other, what in report.violations if other == rule]
                report.line(f'  "{rule}", {len(found)} times, first: {found[0].splitlines()[0][:200]}')
            report.line(f"logs, history and data of the nodes are in {self.directory}")
        else:
            report.line("no violation")
