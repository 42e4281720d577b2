import Node
import Raft
import Scheduler

/// What a run tells about itself.
extension Simulation {
    /// What a node got, wrote and said in a turn; of what comes by the hundred, such as heartbeats, nothing.
    func tellTurn(_ node: SimulatedNode, _ inputs: [ReplicaInput]) {
        for input in inputs {
            switch input {
            case .peer(let sender, .raft(let message)):
                guard let text = Self.describe(message) else { continue }
                log.write(now, .step, "\(node.id) gets from \(sender): \(text)")
            case .durable(let ticket):
                log.write(now, .step, "\(node.id) has batch \(ticket) on its disk")
            case .peerGone(let peer):
                log.write(now, .step, "\(node.id) hears that the process of \(peer) is gone")
            case .snapshotWritten(let mark, _):
                log.write(now, .step, "\(node.id) has written a snapshot at \(mark.index)")
            case .restored(let mark, _):
                log.write(now, .step, "\(node.id) has loaded the snapshot at \(mark.index)")
            default: continue
            }
        }
    }

    func tellStep(_ effect: ReplicaEffect, of node: SimulatedNode) {
        switch effect {
        case .send(.raft(let message), let target):
            guard let text = Self.describe(message) else { return }
            log.write(now, .step, "\(node.id) sends to \(target): \(text)")
        case .persist(let batch):
            log.write(
                now, .step, "\(node.id) writes batch \(batch.ticket): \(Self.describe(batch))")
        case .launch(let assignment):
            log.write(
                now, .step,
                "\(node.id) launches \(assignment.task), attempt \(assignment.attempt), fence \(assignment.fence)"
            )
        case .readReady(let token):
            log.write(now, .step, "\(node.id) answers read \(token)")
        default: return
        }
    }

    private static func describe(_ batch: Batch) -> String {
        var parts: [String] = []
        if let state = batch.hardState {
            parts.append("term \(state.term), vote \(state.vote.map { "\($0)" } ?? "for nobody")")
        }
        if let mark = batch.snapshot {
            parts.append("log behind \(mark.index)\(batch.resetsLog ? ", emptied" : "")")
        }
        if let from = batch.truncateFrom { parts.append("cut from \(from)") }
        if let first = batch.entries.first, let last = batch.entries.last {
            parts.append("entries \(first.index)-\(last.index) up to term \(last.term)")
        }
        return parts.joined(separator: ", ")
    }

    private static func describe(_ message: Message) -> String? {
        let term = message.term
        switch message.body {
        case .preVoteRequest(let request):
            return "pre-vote? term \(term), log ends (\(request.lastIndex), \(request.lastTerm))"
        case .preVoteReply(let granted): return "pre-vote \(granted ? "yes" : "no"), term \(term)"
        case .voteRequest(let request):
            return "vote? term \(term), log ends (\(request.lastIndex), \(request.lastTerm))"
        case .voteReply(let granted): return "vote \(granted ? "yes" : "no"), term \(term)"
        case .append(let append):
            guard let last = append.entries.last else { return nil }
            return
                "term \(term), entries \(append.previousIndex + 1)-\(last.index), commit \(append.commit)"
        case .appendReply(let reply):
            if case .received = reply.outcome { return nil }
            return "term \(term), \(reply.outcome)"
        case .snapshotChunk(let chunk):
            return "term \(term), snapshot \(chunk.mark.index) from byte \(chunk.offset)"
        case .snapshotReply(let reply):
            return "term \(term), snapshot \(reply.index) up to byte \(reply.nextOffset)"
        case .timeoutNow: return "term \(term), campaign at once"
        case .readRequest(let id): return "term \(term), read \(id)?"
        case .readReply(let id, let index):
            return "term \(term), read \(id) at \(index.map { "\($0)" } ?? "nothing")"
        case .repairRequest(let request):
            return "entries \(request.first)-\(request.last) of term \(request.lastTerm)?"
        case .repairReply(let reply):
            return reply.isCompacted ? "compacted" : "\(reply.entries.count) entries repaired"
        }
    }

    func describeNodes() {
        guard log.listener == .terminal, (now - recovery.begunAt) % 10_000_000_000 == 0 else {
            return
        }
        for replica in nodes.compactMap(\.replica) {
            let raft = replica.raft
            log.write(
                now, .phase,
                """
                \(replica.id) \(raft.role) term \(raft.term) applied \(replica.applied) \
                commit \(raft.commitIndex) durable \(raft.durableIndex) log \(raft.firstIndex)-\(raft.lastIndex)
                """)
            for peer in nodes {
                if let progress = raft.peerProgress(peer.id) {
                    log.write(now, .phase, "  \(progress)")
                }
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
                now, .phase,
                "entry \(line.entry.index) of term \(line.entry.term): \(text.prefix(400))")
        }
    }
}
