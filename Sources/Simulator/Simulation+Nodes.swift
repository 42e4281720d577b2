import Node
import Raft
import Scheduler

/// The life of a process: start, turns of its loop, crash, pause.
extension Simulation {
    func start(_ node: SimulatedNode) throws(Violation) {
        upgradePerhaps(node)
        var settings = scenario.settings
        // Of many schedules a second's occurrences would drop those of the same second.
        if crowd == 0, archive.every == nil { settings.retention = retentionWishes.draw() }
        let started: Void? = try onDisk(of: node) { () throws(StorageStop) in
            try node.start(
                settings: settings, founders: founders,
                shape: scenario.workers[node.number], now: now)
        }
        guard started != nil else { return }
        log.write(now, .process, "\(node.id) starts, incarnation \(node.disk.incarnation)")
        if let replica = node.replica {
            try invariants.nodeStarts(node.number, replica.raft, disk: node.disk.synced)
        }
        noteDamage(node)
        mix(1, now, UInt64(node.number))
        deliver(.tick, to: node)
        let probes = node.owedProbes
        node.owedProbes = []
        for probe in probes { askOnceMore(probe, of: node) }
        for other in nodes where other !== node && other.isUp {
            if !network.isCut(node.number, other.number) { connect(node, other) }
        }
    }

    /// What the last process was asked may have been done all the same: a task in its place is another one.
    private func askOnceMore(_ probe: Clients.Kind, of node: SimulatedNode) {
        guard case .submit(var spec) = probe else {
            ask(probe, of: node, isProbe: true)
            return
        }
        spec.payload = Oracle.uniqueMark + Array("\"probe \(node.id) again at \(now)\"}".utf8)
        ask(.submit(spec), of: node, isProbe: true)
    }

    /// Its time to come back, unless something else has started it, or keeps it down.
    func restart(_ node: SimulatedNode) throws(Violation) {
        guard !node.isUp, !node.staysDown else { return }
        damagePerhaps(node)
        try start(node)
        ambush(restarted: node)
    }

    /// A rolling upgrade: with any start, and at the latest when the faults end.
    private func upgradePerhaps(_ node: SimulatedNode) {
        guard node.stateVersion < Scheduler.latestStateVersion, node.life > 0,
            phase != .chaos || random.chance(permille: 500)
        else { return }
        node.stateVersion = Scheduler.latestStateVersion
        report.faults[.upgrade] += 1
        log.write(now, .membership, "\(node.id) is upgraded")
    }

    private func connect(_ one: SimulatedNode, _ other: SimulatedNode) {
        after(
            random.latency(100_000...5_000_000),
            .meeting(
                one: one.number, life: one.life, other: other.number, otherLife: other.life))
    }

    func heal(_ partition: Int) {
        log.write(now, .network, "healed \(network.describe(partition))")
        network.heal(partition)
        connectPeers()
    }

    /// Something became reachable again.
    func connectPeers() {
        for one in nodes.indices {
            for other in nodes.indices where one < other && nodes[one].isUp && nodes[other].isUp {
                if !network.isCut(one, other), !network.isCut(other, one) {
                    connect(nodes[one], nodes[other])
                }
            }
        }
    }

    func crash(_ node: SimulatedNode) throws(Violation) {
        log.write(now, .process, "\(node.id) crashes")
        mix(2, now, UInt64(node.number))
        report.faults[.crash] += 1
        if node.effectsUntilCrash == 0 { report.faults[.crashBetweenEffects] += 1 }
        if !node.disk.isIdle { report.faults[.unsyncedLost] += 1 }
        for execution in node.executions { stopCounting(execution) }
        for token in clients.nodeDied(node.number, life: node.life) {
            let operation = clients[token]
            if case .attached(let question) = operation.kind {
                after(Self.attachedRetryNanoseconds, .attachedFailed(question))
            } else if operation.isProbe {
                node.owedProbes.append(operation.kind)
            } else {
                planRetry(token)
            }
        }
        node.crash(losesPower: losesPower())
        invariants.nodeStopped(node.number)
        let restart = random.latency(scenario.node.downFor)
        after(restart, .restart(node: node.number, life: node.life))
        for other in nodes where other !== node && other.isUp {
            guard !network.isCut(other.number, node.number), random.chance(permille: 700) else {
                continue
            }
            after(
                random.latency(50_000...5_000_000),
                .parting(
                    teller: other.number, life: other.life, gone: node.number,
                    goneLife: node.life))
        }
    }

    func pause(_ node: SimulatedNode, for length: Nanoseconds, isSuspended: Bool) {
        guard !node.isPaused else { return }
        let verb = isSuspended ? "is suspended" : "pauses"
        log.write(now, .process, "\(node.id) \(verb) for \(length / 1_000_000) ms")
        mix(3, now, UInt64(node.number))
        report.faults[isSuspended ? .suspend : .pause] += 1
        node.isPaused = true
        after(length, .resume(node: node.number, life: node.life))
    }

    func resume(_ node: SimulatedNode) throws(Violation) {
        guard node.isPaused else { return }
        log.write(now, .process, "\(node.id) goes on")
        node.isPaused = false
        node.excusedUntil = now + 200_000_000
        try beginSync(node)
        if node.snapshotUnderWay != nil {
            after(1_000_000, .snapshotDone(node: node.number, life: node.life))
        }
        scheduleTurn(node)
    }

    // MARK: Turns

    func deliver(_ input: ReplicaInput, to node: SimulatedNode) {
        node.inbox.append(input)
        scheduleTurn(node)
    }

    private func scheduleTurn(_ node: SimulatedNode) {
        guard !node.isTurnScheduled, !node.isPaused, node.isUp else { return }
        node.isTurnScheduled = true
        var delay = node.random.latency(scenario.node.turnDelay)
        if phase == .chaos, node.random.chance(permille: scenario.node.slowTurnPermille) {
            report.faults[.slowTurn] += 1
            delay += node.random.within(scenario.node.slowTurn)
        }
        queue.add(
            .turn(node: node.number, life: node.life), at: max(now + delay, node.busyUntil))
    }

    func runTurn(_ node: SimulatedNode) throws(Violation) {
        let clock = node.clockModel.clock(at: now)
        var inputs: [ReplicaInput] = []
        swap(&inputs, &node.inboxRoom)
        swap(&inputs, &node.inbox)
        report.turns += 1
        mix(4, now, UInt64(node.number), UInt64(inputs.count))
        var effects: [ReplicaEffect] = []
        swap(&effects, &node.effectRoom)
        let deadline = try step(&node.replica!, of: node, inputs, clock, &effects)
        inputs.removeAll(keepingCapacity: true)
        node.inboxRoom = inputs
        let life = node.life
        for effect in effects {
            if let left = node.effectsUntilCrash {
                guard left > 0 else { return try crash(node) }
                node.effectsUntilCrash = left - 1
            }
            if log.tellsSteps { tellStep(effect, of: node) }
            try perform(effect, of: node)
            // The disk may have failed.
            guard node.life == life else { return }
        }
        effects.removeAll(keepingCapacity: true)
        node.effectRoom = effects
        try beginSync(node)
        guard node.life == life else { return }
        let wake = node.clockModel.virtualTime(of: deadline, now: now)
        guard wake != node.wakeAt else { return }
        node.wakeGeneration += 1
        node.wakeAt = wake
        if wake < .max {
            queue.add(
                .wake(node: node.number, life: life, generation: node.wakeGeneration), at: wake)
        }
    }

    /// The replica takes in what has happened, and all that can be seen of it is checked. Returns its next deadline.
    ///
    /// - Parameter replica: of the node, in its place: it is a large value, and a copy to look at would cost as much as
    ///   a small turn.
    private func step(
        _ replica: inout Replica, of node: SimulatedNode, _ inputs: [ReplicaInput],
        _ clock: Clock, _ effects: inout [ReplicaEffect]
    ) throws(Violation) -> Nanoseconds {
        let applied = replica.applied
        for input in inputs {
            if case .restored(let mark, _) = input, node.restoring == mark { node.restoring = nil }
            replica.step(input, clock: clock, into: &effects)
        }
        // A program that is too old stops by itself.
        node.knownCommitted =
            replica.unsupportedStateVersion == nil ? replica.raft.appliableIndex : 0
        replica.finishTurn(clock: clock, into: &effects)
        let isIdle = inputs.allSatisfy { if case .tick = $0 { true } else { false } }
        if log.tellsSteps { tellTurn(node, inputs) }
        keepBusy(node, entries: replica.applied - applied)
        if isIdle, effects.isEmpty, replica.applied == applied { try countIdleTurn(node) }
        for effect in effects {
            switch effect {
            case .restore(let mark): node.restoring = mark
            case .persist(let batch): invariants.note(batch, of: node.number)
            default: break
            }
        }
        try check(node, replica)
        return replica.nextDeadline(now: clock.monotonic)
    }

    private static let maxApplyNanoseconds: Nanoseconds = 50_000_000

    private func keepBusy(_ node: SimulatedNode, entries: Index) {
        let cost = scenario.node.applyNanosecondsPerEntry
        guard cost > 0, entries > 0 else { return }
        report.faults[.slowApply] += 1
        node.busyUntil = now + min(entries * cost, Self.maxApplyNanoseconds)
    }

    /// A deadline that stays in the past would keep a real loop from ever sleeping.
    private func countIdleTurn(_ node: SimulatedNode) throws(Violation) {
        if now - node.turnsCountedFrom >= 1_000_000_000 {
            node.turnsCountedFrom = now
            node.idleTurns = 0
        }
        node.idleTurns += 1
        guard node.idleTurns < Self.maxIdleTurnsPerSecond else {
            throw Violation("the loop sleeps", "\(node.id) had \(node.idleTurns) idle turns")
        }
    }

    private static let maxIdleTurnsPerSecond = 1_000

    private func check(_ node: SimulatedNode, _ replica: borrowing Replica) throws(Violation) {
        let lines = try invariants.check(
            replica.raft, applied: replica.applied, isRestoring: node.restoring != nil,
            node: node.number,
            holds: { id, index, term in
                nodes.contains { $0.knows(index, term, as: id) }
            })
        if report.turns % 16 == 0 { try checkBounds(node, replica) }
        for line in lines { try oracle.apply(line.entry) }
        let disk = node.disk.synced
        guard replica.applied <= disk.lastIndex, replica.applied < disk.lost.first ?? .max else {
            throw Violation(
                "durable before applied",
                """
                \(node.id) applied \(replica.applied), its disk ends at \(disk.lastIndex), \
                and lost are \(disk.lost)
                """)
        }
        guard replica.scheduler.digest == oracle.digest(at: replica.applied) else {
            throw Violation(
                "same state at the same index", "\(node.id) differs at \(replica.applied)")
        }
    }

    /// Attempts that ended and the node's own registrations are let in beyond the limit; they are few.
    private static let maxExtraRequests = 256

    /// The largest task a client submits fills an entry by itself, whatever the limit of entries.
    private static let maxCommandBytes = 20_000

    /// Every queue that can be seen from outside has an end.
    private func checkBounds(
        _ node: SimulatedNode, _ replica: borrowing Replica
    ) throws(Violation) {
        let settings = scenario.settings
        let pending = replica.pendingRequestCount
        guard pending <= settings.maxPendingRequests + Self.maxExtraRequests else {
            throw Violation("queues are bounded", "\(node.id) holds \(pending) requests")
        }
        guard replica.raft.role == .leader else { return }
        // The window is closed once it is full: what crosses the line is one append, which holds one entry at least.
        let maxAdvanceBytes = settings.maxFiringsPerAdvance * 72
        let maxEntryBytes =
            2 * settings.maxForwardBytes
            + max(settings.maxEntryBytes, maxAdvanceBytes, Self.maxCommandBytes)
        let maxBytes =
            settings.raft.maxInFlightBytes + max(settings.raft.maxAppendBytes, maxEntryBytes)
        for peer in replica.raft.peers {
            guard peer.inFlightMessages <= settings.raft.maxInFlightMessages,
                peer.inFlightBytes <= maxBytes
            else {
                throw Violation(
                    "queues are bounded",
                    "\(node.id) has in flight: \(peer); allowed are \(maxBytes) bytes")
            }
        }
    }
}
