import Scheduler

/// `/v1/queues`.
enum QueuesAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        // One that is paused or resumed is made by that.
        let isMade = call.request.method == .put || call.request.method == .post
        guard call.mayBeHere("queue", name, isMade: isMade) else { return }
        switch path.dropFirst().first {
        case nil:
            guard call.allows(.get, .put, .delete) else { return }
            switch call.request.method {
            case .put: put(name, call)
            case .delete: delete(name, call)
            default: get(name, call)
            }
        case "pause" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            change(name, call, .pauseQueue(name: call.namespace.qualified(name)))
        case "resume" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            change(name, call, .resumeQueue(name: call.namespace.qualified(name)))
        default:
            call.replyUnknownPath()
        }
    }

    // MARK: Writing

    private static func put(_ name: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let request = QueueSpecReader.read(&reader, isReturned: true)
        reader.finish()
        var problems = reader.problems + query.problems
        if let problem = wrong(name, call.namespace) { problems.append(problem) }
        guard problems.isEmpty, let request else { return call.reply(Problem.invalid(problems)) }
        perform(
            name, call, options,
            .putQueue(
                name: call.namespace.qualified(name), request.spec, paused: request.isPaused,
                isInitial: false))
    }

    private static func delete(_ name: String, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        let qualified = call.namespace.qualified(name)
        let configured = call.context.configuration.queues.first { $0.name == qualified }
        // At once what the configuration says: between no limits and its own, all that waits would start.
        let command: Command =
            configured.map {
                .putQueue(name: qualified, $0.spec, paused: $0.isPaused, isInitial: false)
            } ?? .resetQueue(name: qualified)
        call.perform(command, options, noun: "queue", name: name, wrongState: { "" }) { _ in
            call.reply(HTTPResponse(status: 204))
        }
    }

    /// A queue is there as soon as it is named, so one that no task has named yet can be paused as well.
    private static func change(_ name: String, _ call: Call, _ command: Command) {
        guard let options = call.options() else { return }
        if let problem = wrong(name, call.namespace) {
            return call.reply(Problem.invalid([problem]))
        }
        perform(name, call, options, command)
    }

    private static func perform(
        _ name: String, _ call: Call, _ options: Call.Options, _ command: Command
    ) {
        call.perform(command, options, noun: "queue", name: name, wrongState: { "" }) { _ in
            reply(name, call)
        }
    }

    private static func wrong(_ name: String, _ namespace: Namespace) -> JSONProblem? {
        guard !NameRule.isOwnName(name) || name.utf8.count > namespace.maxNameBytes else {
            return nil
        }
        return JSONProblem(
            pointer: "", detail: "\"\(name)\" is not a queue's name: \(NameRule.ownName)")
    }

    // MARK: Reading

    private static func list(_ call: Call) {
        NamedList<QueueView>.reply(
            to: call,
            NamedList.Source(
                find: {
                    call.gateway.replica.scheduler.queues(
                        in: call.namespace, after: $0, limit: $1)
                },
                name: { Namespace.bare($0.name) }, write: { $1.queue($0) }))
    }

    private static func get(_ name: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(name, call) }
    }

    private static func reply(_ name: String, _ call: Call) {
        guard let queue = call.gateway.replica.scheduler.queue(call.namespace.qualified(name))
        else {
            return call.reply(Problem.notFound("queue", name))
        }
        call.reply { $0.queue(queue) }
    }
}
