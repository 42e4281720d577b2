import Node
import Raft
import Scheduler

/// Where the second half of a run stands.
struct Recovery {
    var begunAt: Nanoseconds = 0
    var areProbesSent = false
    /// When nothing was left to do; the cluster is watched for a moment more.
    var calmSince: Nanoseconds?
}

/// After the faults: everything is healed, and the cluster must get all its work done and agree, within
/// a bounded time.
extension Simulation {
    private static let checkEvery: Nanoseconds = 250_000_000
    private static let maxRecovery: Nanoseconds = 240_000_000_000

    func beginRecovery() throws(Violation) {
        log.write(now, "everything heals")
        phase = .recovery
        recovery.begunAt = now
        network.healEverything()
        for node in nodes {
            resume(node)
            node.effectsUntilCrash = nil
            // A draining worker takes nothing more until its process starts anew.
            if node.replica?.isDraining ?? false { try crash(node) }
            if !node.isUp { try start(node) }
        }
        connectPeers()
        after(Self.checkEvery, .progressCheck)
    }

    func checkProgress() throws(Violation) {
        let missing = missingForRest()
        if let missing {
            recovery.calmSince = nil
            if recovery.areProbesSent || (now - recovery.begunAt) % 10_000_000_000 == 0 {
                log.write(now, missing)
            }
            describeNodes()
            guard now - recovery.begunAt < Self.maxRecovery else {
                throw Violation("progress after healing", missing)
            }
        } else if !recovery.areProbesSent {
            recovery.areProbesSent = true
            sendProbes()
        } else if let since = recovery.calmSince {
            if now - since >= 1_000_000_000 {
                report.recoveryNanoseconds = now - recovery.begunAt
                try checkEnd()
                phase = .done
                return
            }
        } else {
            recovery.calmSince = now
        }
        after(Self.checkEvery, .progressCheck)
    }

    private func describeNodes() {
        guard log.isVerbose, (now - recovery.begunAt) % 10_000_000_000 == 0 else { return }
        for replica in nodes.compactMap(\.replica) {
            let raft = replica.raft
            log.write(
                now,
                """
                \(replica.id) \(raft.role) term \(raft.term) applied \(replica.applied) \
                commit \(raft.commitIndex) durable \(raft.durableIndex) log \(raft.firstIndex)-\(raft.lastIndex)
                """)
            for peer in nodes {
                if let progress = raft.peerProgress(peer.id) { log.write(now, "  \(progress)") }
            }
        }
    }

    func describeLastEntries() {
        for line in invariants.ledger.lines.suffix(8) {
            var text = "\(line.entry.payload)"
            if case .command(let bytes) = line.entry.payload {
                let requests = try? Request.all(in: bytes)
                text = requests.map { "\($0.map(\.command))" } ?? "damaged"
            }
            log.write(
                now, "entry \(line.entry.index) of term \(line.entry.term): \(text.prefix(400))")
        }
    }

    /// nil: everybody agrees and nothing is left to do.
    private func missingForRest() -> String? {
        for node in nodes where !node.isUp { return "\(node.id) is down" }
        if let name = oracle.reference.schedules(after: nil, limit: 1).first?.name {
            deleteSchedule(name)
            return "schedule \(name) is still there"
        }
        let replicas = nodes.compactMap(\.replica)
        guard let leader = replicas[0].raft.leader else { return "n1 knows no leader" }
        for replica in replicas where replica.raft.leader != leader {
            return "\(replica.id) follows \(String(describing: replica.raft.leader)), not \(leader)"
        }
        for replica in replicas where replica.applied != oracle.applied {
            return "\(replica.id) applied \(replica.applied) of \(oracle.applied)"
        }
        if let probe = clients.openProbe { return "\(probe) is not answered" }
        for id in oracle.taskIDs {
            guard let account = oracle.tasks[id], !account.state.isFinal else { continue }
            guard canRun(account) else { continue }
            let due = oracle.reference.task(id)?.dueAt ?? 0
            return
                "\(id) is \(account.state.name), due at \(due), log time is \(oracle.reference.time)"
        }
        return nil
    }

    private func canRun(_ account: Oracle.TaskAccount) -> Bool {
        scenario.workers.contains { worker in
            worker.slots > 0 && worker.handlers.contains(account.handler)
                && account.tags.allSatisfy(worker.tags.contains)
        }
    }

    private func deleteSchedule(_ name: String) {
        guard clients.openProbe == nil else { return }
        ask(.change(.deleteSchedule(name: name)), of: nodes[0], isProbe: true)
    }

    /// Every node takes a task and answers a read.
    private func sendProbes() {
        for node in nodes {
            var spec = TaskSpec(handler: "echo")
            spec.payload = Oracle.uniqueMark + Array("\"probe \(node.id)\"}".utf8)
            ask(.submit(spec), of: node, isProbe: true)
            ask(
                .read(minApplied: clients.visibleIndex, clients.known.last), of: node,
                isProbe: true)
        }
    }

    private func checkEnd() throws(Violation) {
        let expected = oracle.reference.snapshotCopy().encoded()
        for node in nodes {
            guard let replica = node.replica else { continue }
            guard replica.scheduler.snapshotCopy().encoded() == expected else {
                throw Violation("all replicas are equal in the end", "\(node.id) differs")
            }
        }
        let restored = try SimulatedNode.load(expected)
        guard restored.snapshotCopy().encoded() == expected else {
            throw Violation("snapshots survive their codec", "a snapshot of a snapshot differs")
        }
        for id in clients.known where oracle.reference.state(of: id) == nil {
            throw Violation("no acknowledged task is lost", "\(id)")
        }
    }
}
