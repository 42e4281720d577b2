import Node
import Raft
import Scheduler

enum FaultKind: UInt64, CaseIterable {
    case partition, crash, pause, drain, transfer, clockJump
}

/// What goes wrong, and when.
extension Simulation {
    private func meanInterval(_ kind: FaultKind) -> Nanoseconds? {
        switch kind {
        case .partition: scenario.nodeCount > 1 ? scenario.network.partitionEvery : nil
        case .crash: scenario.node.crashEvery
        case .pause: scenario.node.pauseEvery
        case .drain: scenario.node.drainEvery
        case .transfer: scenario.node.transferEvery
        case .clockJump: scenario.node.clockJumpEvery
        }
    }

    func scheduleFirstFaults() {
        for kind in FaultKind.allCases { scheduleFault(kind) }
    }

    private func scheduleFault(_ kind: FaultKind) {
        guard let mean = meanInterval(kind) else { return }
        after(1 + random.below(2 * mean), .fault(kind))
    }

    func strike(_ kind: FaultKind) throws(Violation) {
        guard phase == .chaos else { return }
        scheduleFault(kind)
        switch kind {
        case .partition:
            let partition = network.partition()
            report.partitions += 1
            log.write(now, "partition \(partition)")
            after(random.latency(scenario.network.partitionLength), .heal(partition: partition))
        case .crash: strikeDown()
        case .pause:
            guard let node = anyVictim() else { return }
            pause(node, for: random.latency(scenario.node.pauseLength))
        case .drain:
            guard let node = anyVictim() else { return }
            log.write(now, "\(node.id) drains")
            deliver(.drain, to: node)
            after(
                random.within(500_000_000...5_000_000_000),
                .crash(node: node.number, life: node.life))
        case .transfer:
            guard let node = nodes.first(where: { $0.replica?.raft.role == .leader }) else {
                return
            }
            let target = random.chance(permille: 500) ? random.pick(nodes).id : nil
            log.write(now, "\(node.id) is asked to hand over")
            deliver(.transferLeadership(to: target), to: node)
        case .clockJump:
            let node = random.pick(nodes)
            let bound = scenario.node.clockJumpMilliseconds
            node.clockModel.setWallOffset(Milliseconds(random.within(-bound...bound)))
            log.write(now, "the wall clock of \(node.id) is set")
        }
    }

    private func anyVictim() -> SimulatedNode? {
        let up = nodes.filter { $0.isUp && !$0.isPaused }
        return up.isEmpty ? nil : random.pick(up)
    }

    /// The leader more often than chance would have it: there is more to break.
    private func strikeDown() {
        if random.chance(permille: scenario.node.wholeClusterPermille) {
            log.write(now, "the whole cluster goes down")
            for node in nodes where node.isUp { armCrash(node) }
            return
        }
        let leader = nodes.first { $0.replica?.raft.role == .leader }
        let victim = random.chance(permille: 400) ? leader ?? anyVictim() : anyVictim()
        if let victim { armCrash(victim) }
    }

    private func armCrash(_ node: SimulatedNode) {
        if !node.isPaused, random.chance(permille: scenario.node.crashAtEffectPermille) {
            node.effectsUntilCrash = random.index(8)
        } else {
            queue.add(.crash(node: node.number, life: node.life), at: now)
        }
    }
}
