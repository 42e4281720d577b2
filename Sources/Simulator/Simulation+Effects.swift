import Node
import Raft
import Scheduler

/// What a node's shell does with the effects of a turn.
extension Simulation {
    func perform(_ effect: ReplicaEffect, of node: SimulatedNode) throws(Violation) {
        switch effect {
        case .send(let message, let target):
            try send(message, from: node, to: target)
        case .persist(let batch):
            try persist(batch, on: node)
        case .completed(let token, let outcome):
            try completed(token, outcome, on: node)
        case .refused(let token, let refusal):
            refused(token, refusal, on: node)
        case .readReady(let token):
            try readReady(token, on: node)
        case .launch(let assignment):
            try launch(assignment, on: node)
        case .stop(let task, let attempt):
            stop(task, attempt: attempt, on: node)
        case .stopAll:
            stopAll(on: node)
        case .writeSnapshot(let mark, let copy):
            report.snapshots += 1
            node.snapshotUnderWay = (mark, copy)
            after(
                node.random.latency(scenario.disk.snapshot),
                .snapshotDone(node: node.number, life: node.life))
        case .readSnapshotChunk(let target, let mark, let offset):
            try readChunk(to: target, mark, offset, node)
        case .storeSnapshotChunk(let chunk):
            try storeChunk(chunk, node)
        case .restore(let mark):
            try restore(mark, node)
        case .leadershipChanged:
            noteLeadership(node)
        case .workerRefused(let reason):
            log.write(now, .process, "\(node.id): worker refused, \(reason)")
        case .finished, .stateReplaced: return
        }
    }

    private func noteLeadership(_ node: SimulatedNode) {
        guard let raft = node.replica?.raft, raft.role == .leader else { return }
        log.write(now, .leadership, "\(node.id) leads term \(raft.term)")
        ambush(newLeader: node)
    }

    // MARK: Messages

    private func send(
        _ message: PeerMessage, from node: SimulatedNode, to target: NodeID
    ) throws(Violation) {
        guard let to = nodes.firstIndex(where: { $0.id == target }), to != node.number else {
            throw Violation("messages have addresses", "\(node.id) sends to \(target)")
        }
        if case .raft(let message) = message, let role = node.replica?.raft.role {
            try invariants.check(sending: message, disk: node.disk.synced, role: role)
            if case .appendReply(let reply) = message.body,
                case .matched(let index) = reply.outcome, let raft = node.replica?.raft
            {
                try invariants.check(acknowledged: index, by: raft, disk: node.disk.synced)
            }
        }
        let bytes = message.encoded()
        mix(5, UInt64(bytes.count), UInt64(to))
        for time in network.arrivals(from: node.number, to: to, now: now) {
            queue.add(.arrival(from: node.number, to: to, bytes), at: time)
        }
    }

    func arrive(from: Int, to: Int, _ bytes: [UInt8]) throws(Violation) {
        guard nodes[to].isUp, !network.isCut(from, to) else {
            network.noteLostOnArrival()
            return
        }
        do {
            let message = try PeerMessage(decoding: bytes)
            if now % 64 == 0, message.encoded() != bytes {
                throw Violation("messages survive their codec", "\(message)")
            }
            deliver(.peer(from: nodes[from].id, message), to: nodes[to])
        } catch let error as CodecError {
            throw Violation("messages decode", error.reason)
        } catch let error as Violation {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
