import Node
import Raft
import Scheduler

/// The faults that strike again and again, each with a rate of its own.
enum Strike: CaseIterable {
    case partition, crash, pause, suspend, drain, transfer, clockJump, disk, lease, snapshotDamage
}

/// What goes wrong, and when.
extension Simulation {
    private func meanInterval(_ strike: Strike) -> Nanoseconds? {
        switch strike {
        case .partition: scenario.network.partitionEvery
        case .crash: scenario.node.crashEvery
        case .pause: scenario.node.pauseEvery
        case .suspend: scenario.node.suspendEvery
        case .drain: scenario.node.drainEvery
        case .transfer: scenario.node.transferEvery
        case .clockJump: scenario.node.clockJumpEvery
        case .disk: scenario.troubles.errorEvery
        case .lease: scenario.node.leaseTrapEvery
        case .snapshotDamage: scenario.troubles.snapshotDamageEvery
        }
    }

    func scheduleFirstFaults() {
        for strike in Strike.allCases { scheduleNext(strike) }
        for node in nodes {
            if node.clockModel.driftPPM != 0 { report.faults[.driftingClock] += 1 }
            if node.clockModel.wallOffset != 0 { report.faults[.wrongClock] += 1 }
        }
    }

    private func scheduleNext(_ strike: Strike) {
        guard let mean = meanInterval(strike) else { return }
        after(1 + random.below(2 * mean), .strike(strike))
    }

    func perform(_ strike: Strike) {
        guard phase == .chaos else { return }
        scheduleNext(strike)
        switch strike {
        case .partition:
            let partition = network.partition()
            log.write(now, .network, "cut \(network.describe(partition))")
            after(random.latency(scenario.network.partitionLength), .heal(partition: partition))
        case .crash: strikeDown()
        case .pause:
            guard let node = anyVictim() else { return }
            pause(node, for: random.latency(scenario.node.pauseLength), isSuspended: false)
        case .suspend:
            guard let node = anyVictim() else { return }
            pause(node, for: random.latency(scenario.node.suspendLength), isSuspended: true)
        case .drain:
            guard let node = anyVictim() else { return }
            report.faults[.drain] += 1
            log.write(now, .process, "\(node.id) drains")
            deliver(.drain, to: node)
            after(
                random.within(500_000_000...5_000_000_000),
                .crash(node: node.number, life: node.life))
        case .transfer:
            guard let node = nodes.first(where: { $0.replica?.raft.role == .leader }) else {
                return
            }
            report.faults[.transfer] += 1
            let target = random.chance(permille: 500) ? random.pick(nodes).id : nil
            log.write(
                now, .leadership,
                "\(node.id) is asked to hand over to \(target.map { "\($0)" } ?? "anybody")")
            deliver(.transferLeadership(to: target), to: node)
            ambush(leaderThatHandsOver: node)
        case .clockJump:
            setWallClock(of: random.pick(nodes))
        case .disk: strikeDisk()
        case .lease: layLeaseTrap()
        case .snapshotDamage: damageSnapshot()
        }
    }

    func setWallClock(of node: SimulatedNode) {
        let bound = scenario.node.clockJumpMilliseconds
        let offset = Milliseconds(random.within(-bound...bound))
        report.faults[.wallJump] += 1
        node.clockModel.setWallOffset(offset)
        log.write(now, .clock, "the wall clock of \(node.id) is set to be \(offset) ms off")
    }

    private func anyVictim() -> SimulatedNode? {
        let up = nodes.filter { $0.isUp && !$0.isPaused }
        return up.isEmpty ? nil : random.pick(up)
    }

    /// The leader more often than chance would have it: there is more to break.
    private func strikeDown() {
        if random.chance(permille: scenario.node.wholeClusterPermille) {
            log.write(now, .process, "the whole cluster goes down")
            report.faults[.clusterCrash] += 1
            for node in nodes where node.isUp { armCrash(node) }
            return
        }
        let leader = nodes.first { $0.replica?.raft.role == .leader }
        let victim = random.chance(permille: 400) ? leader ?? anyVictim() : anyVictim()
        if let victim { armCrash(victim) }
    }

    /// Now, or between any two effects of one of the next turns.
    private func armCrash(_ node: SimulatedNode) {
        if random.chance(permille: scenario.troubles.cutPermille) {
            // If nothing is written any more, it comes with the next write of all.
            node.disk.disk.cutPower(afterChanges: random.index(12))
        } else if !node.isPaused, random.chance(permille: scenario.node.crashAtEffectPermille) {
            node.effectsUntilCrash = random.index(random.pick([3, 8, 40]))
        } else {
            queue.add(.crash(node: node.number, life: node.life), at: now)
        }
    }
}
