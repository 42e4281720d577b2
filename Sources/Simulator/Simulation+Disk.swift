import Node
import Raft
import Scheduler

/// What a node's shell does with its disk, and what happens to it when the disk fails.
extension Simulation {
    /// nil: the disk failed, and the node is down.
    func onDisk<Result>(
        of node: SimulatedNode, _ body: () throws(StorageStop) -> Result
    ) throws(Violation) -> Result? {
        do throws(StorageStop) {
            return try body()
        } catch {
            switch error {
            case .broken(let violation): throw violation
            case .failed(let error):
                log.write(now, .disk, "\(node.id) stops: \(error)")
                if node.isUp { try crash(node) } else { retryStart(node) }
                return nil
            case .refused(let error):
                replaceDisk(of: node, because: error)
                return nil
            }
        }
    }

    /// The process ended before it was up.
    private func retryStart(_ node: SimulatedNode) {
        report.faults[.crash] += 1
        node.failToStart(losesPower: losesPower())
        after(
            random.latency(scenario.node.downFor), .restart(node: node.number, life: node.life))
    }

    func losesPower() -> Bool { random.chance(permille: scenario.troubles.powerLossPermille) }

    /// One error of one disk, at the next operation that it fits.
    func strikeDisk() {
        let node = random.pick(nodes)
        let fault = random.pick(scenario.troubles.errors)
        log.write(now, .disk, "the disk of \(node.id) will have \(fault.name)")
        node.disk.disk.arm(fault)
    }

    func countDiskFaults() {
        for disk in nodes.flatMap({ $0.lostDisks + [$0.disk.disk] }) {
            report.faults[.powerLoss] += disk.powerLosses
            for (fault, count) in disk.strikes { report.faults[fault.counted] += count }
        }
    }

    // MARK: Log

    func persist(_ batch: Batch, on node: SimulatedNode) throws(Violation) {
        try invariants.check(persisting: batch, on: node.disk.latest, of: node.id)
        try onDisk(of: node) { () throws(StorageStop) in try node.disk.persist(batch) }
    }

    func beginSync(_ node: SimulatedNode) throws(Violation) {
        guard node.isUp, !node.isPaused, !node.isDiskStuck,
            try onDisk(
                of: node, { () throws(StorageStop) in try node.disk.beginSync() }) ?? false
        else { return }
        var delay = node.random.latency(scenario.disk.sync)
        if phase == .chaos, node.random.chance(permille: scenario.disk.stallPermille) {
            report.faults[.diskStall] += 1
            delay += node.random.within(scenario.disk.stall)
            log.write(now, .disk, "the disk of \(node.id) stalls for \(delay / 1_000_000) ms")
        }
        after(delay, .synced(node: node.number, life: node.life))
    }

    func endSync(_ node: SimulatedNode) throws(Violation) {
        let ticket = try onDisk(of: node) { () throws(StorageStop) in try node.disk.endSync() }
        guard let ticket else { return }
        deliver(.durable(ticket), to: node)
        try beginSync(node)
    }

    // MARK: Snapshots

    /// Serialised only now: the copy must not have changed with the state it was taken of.
    func finishSnapshot(_ node: SimulatedNode) throws(Violation) {
        guard !node.isPaused, let (mark, copy) = node.snapshotUnderWay else { return }
        node.snapshotUnderWay = nil
        let bytes = copy.encoded()
        mix(6, UInt64(bytes.count))
        let written: Void? = try onDisk(of: node) { () throws(StorageStop) in
            try node.disk.writeSnapshot(mark, state: bytes)
        }
        if written != nil { deliver(.snapshotWritten(mark, bytes: bytes.count), to: node) }
    }

    func readChunk(
        to target: NodeID, _ mark: SnapshotMark, _ offset: UInt64, _ node: SimulatedNode
    ) throws(Violation) {
        let maxBytes = scenario.settings.raft.maxSnapshotChunkBytes
        let read = try onDisk(of: node) { () throws(StorageStop) in
            try node.disk.readChunk(of: mark, at: offset, maxBytes: maxBytes)
        }
        var input = ReplicaInput.snapshotChunkRead(
            to: target, mark: mark, offset: 0, bytes: [], totalBytes: 0)
        switch read {
        case .chunk(let bytes, let totalBytes):
            input = .snapshotChunkRead(
                to: target, mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes)
        case .gone: break
        case .damaged:
            log.write(now, .disk, "\(node.id) finds its snapshot at \(mark.index) damaged")
            report.damagesFound += 1
            deliver(.snapshotDamaged(mark), to: node)
        case nil: return
        }
        after(
            node.random.latency(scenario.disk.sync),
            .input(node: node.number, life: node.life, input))
    }

    func storeChunk(
        _ chunk: Message.SnapshotChunk, _ node: SimulatedNode
    ) throws(Violation) {
        let stored = try onDisk(of: node) { () throws(StorageStop) in
            try node.disk.storeChunk(chunk)
        }
        let result: (nextOffset: UInt64, isComplete: Bool)
        switch stored {
        case .wants(let offset): result = (offset, false)
        case .complete(let fileBytes): result = (fileBytes, true)
        case .refused(let reason):
            log.write(
                now, .disk, "\(node.id) refuses the snapshot at \(chunk.mark.index): \(reason)")
            result = (0, false)
        case nil: return
        }
        let input = ReplicaInput.snapshotChunkStored(
            mark: chunk.mark, nextOffset: result.nextOffset, isComplete: result.isComplete)
        after(
            node.random.latency(scenario.disk.sync),
            .input(node: node.number, life: node.life, input))
    }

    func restore(_ mark: SnapshotMark, _ node: SimulatedNode) throws(Violation) {
        let bytes = try onDisk(of: node) { () throws(StorageStop) in
            try node.disk.loadSnapshot(mark)
        }
        guard let bytes else { return }
        report.installs += 1
        log.write(now, .disk, "\(node.id) restores the snapshot at \(mark.index)")
        let state = try SimulatedNode.load(bytes)
        after(
            node.random.latency(scenario.disk.snapshot),
            .input(node: node.number, life: node.life, .restored(mark, state)))
    }
}
