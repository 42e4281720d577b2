import Raft
import Scheduler

/// `/v1/cluster/members`: taking nodes in and letting them go. The wish is one command; what follows happens by
/// itself, and is waited for here as long as the client likes.
final class MembersAPI {
    private enum Stage {
        /// For the node itself: only it can say which data directory it has. What its predecessor of that name has
        /// said does not count, so it has to answer something that was sent since.
        case meeting(peer: Endpoint?, api: Endpoint?, since: Nanoseconds)
        /// The command is under way.
        case asking
        case joining(NodeID)
        case leaving(NodeID)
    }

    private final class Wait {
        let call: Call
        let name: String
        let deadline: Nanoseconds
        var stage: Stage

        init(_ call: Call, _ name: String, _ deadline: Nanoseconds, _ stage: Stage) {
            self.call = call
            self.name = name
            self.deadline = deadline
            self.stage = stage
        }
    }

    /// Between two looks at whether the node has answered.
    private static let meetingCheckNanoseconds: Nanoseconds = 5_000_000

    private let context: APIContext
    private var waits: [Wait] = []

    init(_ context: APIContext) {
        self.context = context
    }

    func handle(_ path: ArraySlice<String>, _ call: Call) {
        switch path.first {
        case nil:
            guard call.allows(.post) else { return }
            add(call)
        case let name? where path.count == 1:
            guard call.allows(.delete), call.hasNoBody(), let options = call.options() else {
                return
            }
            remove(name, call, options)
        default:
            call.replyUnknownPath()
        }
    }

    /// To be told whenever the members, or who is connected, may have changed.
    func changed() {
        for wait in waits { advance(wait) }
    }

    // MARK: Adding

    private func add(_ call: Call) {
        guard let options = call.options(), let document = call.document() else { return }
        var reader = JSONReader(document.root)
        let name = reader.string("id", maxBytes: NameRule.maxIDBytes, allowEmpty: false) ?? ""
        let peer = endpoint("peer", &reader)
        let api = endpoint("api", &reader)
        if reader.problems.isEmpty, !NameRule.isID(name) {
            reader.problem("id", "expected \(NameRule.id)")
        }
        reader.finish()
        guard reader.problems.isEmpty else { return call.reply(Problem.invalid(reader.problems)) }
        let now = context.facts.clock().monotonic
        let wait = Wait(call, name, options.deadline, .meeting(peer: peer, api: api, since: now))
        begin(wait)
        if name != context.node, context.facts.hello(name, nil) == nil {
            guard let peer else { return fail(wait, Self.unreachable(name)) }
            context.facts.invite(name, peer)
        }
        context.facts.probe(name)
        meet(wait)
    }

    /// Looks again and again: nobody is told of an answer to a ping.
    private func meet(_ wait: Wait) {
        guard waits.contains(where: { $0 === wait }), case .meeting = wait.stage else { return }
        advance(wait)
        let next = context.facts.clock().monotonic + Self.meetingCheckNanoseconds
        context.facts.schedule(next) { [weak self] in self?.meet(wait) }
    }

    private func endpoint(_ name: String, _ reader: inout JSONReader) -> Endpoint? {
        guard
            let text = reader.string(
                name, maxBytes: Limits.maxAddressBytes, allowEmpty: false)
        else { return nil }
        do throws(Endpoint.SyntaxError) {
            return try Endpoint(text)
        } catch {
            reader.problem(name, error.description)
            return nil
        }
    }

    private func ask(_ wait: Wait, toAdd hello: PeerHello, peer: Endpoint?, api: Endpoint?) {
        let node = NodeRecord(
            name: wait.name, directory: hello.directory, peer: peer?.description ?? hello.peer,
            api: api?.description ?? hello.api, stateVersion: hello.highestStateVersion)
        wait.stage = .asking
        request(.addMember(node), for: wait, then: .joining(hello.id))
    }

    // MARK: Removing

    private func remove(_ name: String, _ call: Call, _ options: Call.Options) {
        let wait = Wait(call, name, options.deadline, .asking)
        begin(wait)
        // Which node it is has to be known before it is gone from the state.
        call.read(options) { [self] in
            guard let member = context.gateway.replica.scheduler.member(name) else {
                return fail(wait, .notFound("member", name))
            }
            request(
                .removeMember(name: name, directory: member.directory), for: wait,
                then: .leaving(NodeID(name, directory: member.directory)))
        }
    }

    // MARK: Waiting

    private func begin(_ wait: Wait) {
        waits.append(wait)
        context.facts.schedule(wait.deadline) { [weak self] in self?.expire(wait) }
    }

    private func request(_ command: Command, for wait: Wait, then stage: Stage) {
        wait.call.perform(
            command,
            Call.Options(deadline: wait.deadline, isStale: false), noun: "member", name: wait.name,
            wrongState: { "" }
        ) { [self] _ in
            wait.stage = stage
            advance(wait)
        } refused: { [self] in
            end(wait)
        }
    }

    private func advance(_ wait: Wait) {
        switch wait.stage {
        case .meeting(let peer, let api, let since):
            guard let hello = context.facts.hello(wait.name, since) else { return }
            ask(wait, toAdd: hello, peer: peer, api: api)
        case .asking:
            return
        case .joining(let id):
            let raft = context.gateway.replica.raft
            guard raft.configuration.voters.contains(id), !raft.isChangingMembership else { return }
            reply(wait, id, status: 200)
        case .leaving(let id):
            let raft = context.gateway.replica.raft
            guard !raft.configuration.isMember(id), !raft.isChangingMembership else {
                return
            }
            reply(wait, id, status: 200)
        }
    }

    private func expire(_ wait: Wait) {
        guard waits.contains(where: { $0 === wait }) else { return }
        switch wait.stage {
        case .meeting: fail(wait, Self.unreachable(wait.name))
        // Answered by the request's own deadline, which is the same.
        case .asking: return
        case .joining(let id), .leaving(let id): reply(wait, id, status: 202)
        }
    }

    private func reply(_ wait: Wait, _ id: NodeID, status: Int) {
        end(wait)
        wait.call.reply(status: status) { writer in
            if let member = context.member(id) {
                context.write(member, to: &writer)
            } else {
                writer.beginObject()
                writer.field("id", id.name)
                writer.field("role", "none")
                writer.endObject()
            }
        }
    }

    private func fail(_ wait: Wait, _ problem: Problem) {
        end(wait)
        wait.call.reply(problem)
    }

    private func end(_ wait: Wait) {
        waits.removeAll { $0 === wait }
        if !waits.contains(where: { $0.name == wait.name }) {
            context.facts.invite(wait.name, nil)
        }
    }

    private static func unreachable(_ name: String) -> Problem {
        Problem(
            kind: .unreachable, status: 503,
            detail:
                "\(name) has not called, and can't be reached at a given address: start it first, as carillon node "
                + "--id \(name) --join, with a configuration that names it and at least one member.",
            retryAfterSeconds: APILimits.retryAfterSeconds)
    }
}
