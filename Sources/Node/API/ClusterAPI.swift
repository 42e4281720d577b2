import Raft
import Scheduler

/// `/v1/cluster`: the members as this node sees them, and who leads.
final class ClusterAPI {
    private struct Transfer {
        let id: UInt64
        let call: Call
        /// Who led, and in which term, when it was asked for.
        let leader: NodeID
        let term: Term
        let target: NodeID?
    }

    /// A wish on its way to the leader may be lost with a connection.
    private static let repeatNanoseconds: Nanoseconds = 250_000_000

    private let context: APIContext
    private let members: MembersAPI
    let backup: BackupAPI
    private var transfers: [Transfer] = []
    private var lastTransfer: UInt64 = 0

    init(_ context: APIContext) {
        self.context = context
        members = MembersAPI(context)
        backup = BackupAPI(context)
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
        case "backup" where path.count == 1:
            backup.handle(call)
        case "members":
            members.handle(path.dropFirst(), call)
        default:
            call.replyUnknownPath()
        }
    }

    private func write(to writer: inout JSONWriter) {
        let replica = context.gateway.replica
        writer.beginObject()
        writer.field("cluster", context.configuration.cluster)
        writer.field("node", context.node)
        writer.optionalField("leader", replica.raft.leader?.name)
        writer.field("term", replica.raft.term)
        writer.field("commit", replica.raft.commitIndex)
        writer.field("applied", replica.applied)
        writer.field("stateVersion", UInt64(replica.scheduler.stateVersion))
        writer.field("changing", replica.raft.isChangingMembership)
        writer.field("joint", replica.raft.configuration.isJoint)
        writer.optionalField(
            "problem", StandingText(replica).problem)
        writer.key("members")
        writer.beginArray()
        for member in context.members() { context.write(member, to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    // MARK: Transfer

    private func transfer(_ call: Call) {
        guard let options = call.options() else { return }
        let raft = context.gateway.replica.raft
        var target: String?
        if !call.request.body.isEmpty {
            guard let document = call.document() else { return }
            var reader = JSONReader(document.root)
            target = reader.string("to", maxBytes: NameRule.maxIDBytes, allowEmpty: false)
            let known = raft.configuration.voters.map(\.name)
            if let target, !known.contains(target) {
                reader.problem("to", JSONReader.notAmong(target, known))
            }
            reader.finish()
            guard reader.problems.isEmpty else {
                return call.reply(Problem.invalid(reader.problems))
            }
        }
        transfer(call, options, to: target)
    }

    /// Waits for a leader: there is nobody else to ask.
    private func transfer(_ call: Call, _ options: Call.Options, to target: String?) {
        let raft = context.gateway.replica.raft
        guard let leader = raft.leader else {
            let now = context.facts.clock().monotonic
            guard now < options.deadline else { return call.refuse(.noLeader) }
            let next = min(now + Self.repeatNanoseconds, options.deadline)
            return context.facts.schedule(next) { [weak self] in
                self?.transfer(call, options, to: target)
            }
        }
        if leader.name == target { return reply(call) }
        guard raft.configuration.voters.count > 1 else {
            return call.reply(Problem.conflict("There is no other member that could lead."))
        }
        lastTransfer += 1
        let transfer = Transfer(
            id: lastTransfer, call: call, leader: leader, term: raft.term,
            target: raft.configuration.voters.first { $0.name == target })
        transfers.append(transfer)
        context.facts.schedule(options.deadline) { [weak self] in self?.giveUp(transfer.id) }
        ask(transfer.id)
    }

    /// Of whoever leads now, again and again: a repeated wish changes nothing while a transfer is under way.
    private func ask(_ id: UInt64) {
        guard let transfer = transfers.first(where: { $0.id == id }) else { return }
        context.gateway.step(.transferLeadership(to: transfer.target))
        let next = context.facts.clock().monotonic + Self.repeatNanoseconds
        context.facts.schedule(next) { [weak self] in self?.ask(id) }
    }

    func leadershipChanged() {
        let raft = context.gateway.replica.raft
        guard !transfers.isEmpty, let leader = raft.leader else { return }
        let done = transfers.filter { transfer in
            guard let target = transfer.target else {
                return raft.term > transfer.term && leader != transfer.leader
            }
            return leader == target
        }
        transfers.removeAll { transfer in done.contains { $0.id == transfer.id } }
        for transfer in done { reply(transfer.call) }
    }

    func membersChanged() { members.changed() }

    private func giveUp(_ id: UInt64) {
        guard let index = transfers.firstIndex(where: { $0.id == id }) else { return }
        let transfer = transfers.remove(at: index)
        transfer.call.reply(
            Problem(
                kind: .outcomeUnknown, status: 503,
                detail: "Leadership was not handed over in time. It may still be.",
                retryAfterSeconds: APILimits.retryAfterSeconds))
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

extension APIContext {
    func write(_ member: MemberStatus, to writer: inout JSONWriter) {
        let name = member.id.name
        let configured = configuration.member(name)
        writer.beginObject()
        writer.field("id", name)
        writer.field("directory", String(member.id.directory, radix: 16))
        writer.optionalField(
            "peer", name == node ? configured?.peer.description : facts.peerAddress(name))
        writer.optionalField(
            "api", name == node ? configured?.api.description : facts.apiAddress(name))
        writer.field("role", member.role.rawValue)
        writer.optionalField("change", member.change?.rawValue)
        writer.field("alive", member.isAlive)
        writer.key("match")
        if let match = member.match { writer.uint(match) } else { writer.null() }
        writer.key("lag")
        if let lag = member.lag { writer.uint(lag) } else { writer.null() }
        writer.endObject()
    }
}
