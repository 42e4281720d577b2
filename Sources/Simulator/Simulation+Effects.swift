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
            ambush(node, whichPersists: batch)
            try persist(batch, on: node)
        case .completed(let token, let outcome):
            try completed(token, outcome, on: node)
        case .refused(let token, let refusal):
            try refused(token, refusal, on: node)
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
        case .schedulePassedOver(let name, let zone):
            log.write(now, .process, "\(node.id): can't compute \(name) in \(zone)")
        case .beatAnswered(let token, let reply): beatAnswered(token, reply, on: node)
        case .finished, .stateReplaced, .attachedWorkerChanged: return
        }
    }

    private func noteLeadership(_ node: SimulatedNode) {
        guard let raft = node.replica?.raft, raft.role == .leader else { return }
        log.write(now, .leadership, "\(node.id) leads term \(raft.term)")
        ambush(founder: node)
        playGoesOn(newLeader: node)
        ambush(newLeader: node)
        ambush(leaderWithMuchToSay: node)
    }

    // MARK: Messages

    private func send(
        _ message: PeerMessage, from node: SimulatedNode, to target: NodeID
    ) throws(Violation) {
        guard let to = nodes.firstIndex(where: { $0.id.name == target.name }), target != node.id
        else {
            throw Violation("messages have addresses", "\(node.id) sends to \(target)")
        }
        if case .raft(let message) = message, let role = node.replica?.raft.role {
            try invariants.check(
                sending: message, number: node.number, disk: node.disk.synced, role: role)
            if case .appendReply(let reply) = message.body,
                let index = reply.promisedIndex, let raft = node.replica?.raft
            {
                try invariants.check(
                    acknowledged: index, by: raft, number: node.number, disk: node.disk.synced)
            }
        }
        // Whoever it was before it lost its disk, and a member until the change is through: nobody is there.
        guard to != node.number, !isLostInPlay(message, from: node),
            !isVoteHeld(message, from: node, to: target)
        else {
            return network.noteLostOnArrival()
        }
        let bytes = message.encoded()
        mix(5, UInt64(bytes.count), UInt64(to))
        let delay = ambush(node, whichSends: message, to: nodes[to])
        for time in network.arrivals(from: node.number, to: to, now: now) {
            let letter = Letter(
                from: node.number, to: to, sender: node.id, receiver: target, bytes: bytes)
            queue.add(.arrival(letter), at: time + delay)
        }
    }

    func arrive(_ letter: Letter) throws(Violation) {
        let node = nodes[letter.to]
        // Nodes greet each other: a connection to somebody who is no longer there is closed.
        guard node.isUp, node.id == letter.receiver, !network.isCut(letter.from, letter.to) else {
            network.noteLostOnArrival()
            return
        }
        do {
            let message = try PeerMessage(decoding: letter.bytes)
            if now % 64 == 0, message.encoded() != letter.bytes {
                throw Violation("messages survive their codec", "\(message)")
            }
            deliver(.peer(from: letter.sender, message), to: node)
        } catch let error as CodecError {
            throw Violation("messages decode", error.reason)
        } catch let error as Violation {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
