import Raft
import Scheduler

/// `/v1/cluster`: the members as this node sees them, and who leads.
final class ClusterAPI {
    private struct Transfer {
        let id: UInt64
        let call: Call
    }

    private let context: APIContext
    private var transfers: [Transfer] = []
    private var lastTransfer: UInt64 = 0

    init(_ context: APIContext) {
        self.context = context
    }

    func handle(_ path: ArraySlice<String>, _ call: Call) {
        switch path.first {
        case nil:
            guard call.allows(.get) else { return }
            // The node's own view, without asking anyone: one needs it most when there is no leader.
            guard call.options(readsState: true) != nil else { return }
            call.reply { write(to: &$0) }
        case "transfer" where path.count == 1:
            guard call.allows(.post) else { return }
            transfer(call)
        case "members":
            call.reply(
                Problem.unknownPath(
                    call.request.path,
                    hint: "Changing members is not supported by this version."))
        default:
            call.replyUnknownPath()
        }
    }

    private func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("cluster", context.configuration.cluster)
        writer.field("node", context.node)
        writer.optionalField("leader", context.gateway.replica.raft.leader?.name)
        writer.field("term", context.gateway.replica.raft.term)
        writer.field("commit", context.gateway.replica.raft.commitIndex)
        writer.field("applied", context.gateway.replica.applied)
        writer.key("members")
        writer.beginArray()
        for member in context.members() {
            let configured = context.configuration.member(member.id.name)
            writer.beginObject()
            writer.field("id", member.id.name)
            writer.optionalField("peer", configured?.peer.description)
            writer.optionalField("api", configured?.api.description)
            writer.field("role", member.role.rawValue)
            writer.field("alive", member.isAlive)
            writer.key("match")
            if let match = member.match { writer.uint(match) } else { writer.null() }
            writer.key("lag")
            if let lag = member.lag { writer.uint(lag) } else { writer.null() }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    // MARK: Transfer

    private func transfer(_ call: Call) {
        guard let options = call.options() else { return }
        var target: String?
        if !call.request.body.isEmpty {
            guard let document = call.document() else { return }
            var reader = JSONReader(document.root)
            target = reader.string("to", maxBytes: NameRule.maxIDBytes, allowEmpty: false)
            let known = context.gateway.replica.raft.configuration.voters.map(\.name)
            if let target, !known.contains(target) {
                reader.problem("to", JSONReader.notAmong(target, known))
            }
            reader.finish()
            guard reader.problems.isEmpty else {
                return call.reply(Problem.invalid(reader.problems))
            }
        }
        guard let leader = context.gateway.replica.raft.leader else {
            return call.refuse(.noLeader)
        }
        if leader.name == target { return reply(call) }
        guard leader.name == context.node else { return redirect(call, to: leader.name) }
        guard context.gateway.replica.raft.configuration.voters.count > 1 else {
            return call.reply(Problem.conflict("There is no other member that could lead."))
        }
        lastTransfer += 1
        let transfer = Transfer(id: lastTransfer, call: call)
        transfers.append(transfer)
        context.facts.schedule(options.deadline) { [weak self] in self?.giveUp(transfer.id) }
        context.gateway.step(.transferLeadership(to: target.map { NodeID($0) }))
    }

    func leadershipChanged() {
        guard !transfers.isEmpty, let leader = context.gateway.replica.raft.leader,
            leader.name != context.node
        else { return }
        let done = transfers
        transfers = []
        for transfer in done { reply(transfer.call) }
    }

    private func giveUp(_ id: UInt64) {
        guard let index = transfers.firstIndex(where: { $0.id == id }) else { return }
        let transfer = transfers.remove(at: index)
        transfer.call.reply(
            Problem(
                kind: .outcomeUnknown, status: 503,
                detail: "Leadership was not handed over in time. It may still be.",
                retryAfterSeconds: APILimits.retryAfterSeconds))
    }

    /// Only the leader can hand leadership over.
    private func redirect(_ call: Call, to leader: String) {
        guard let member = context.configuration.member(leader) else {
            return call.refuse(.noLeader)
        }
        let url = "http://\(member.api)/v1/cluster/transfer"
        call.reply(
            Problem(
                kind: .notLeader, status: 307,
                detail:
                    "\(leader) leads, and only it can hand leadership over: send this to \(url).",
                location: url))
    }

    private func reply(_ call: Call) {
        call.reply { writer in
            writer.beginObject()
            writer.optionalField("leader", context.gateway.replica.raft.leader?.name)
            writer.field("term", context.gateway.replica.raft.term)
            writer.endObject()
        }
    }
}
