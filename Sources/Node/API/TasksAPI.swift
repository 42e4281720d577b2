import Raft
import Scheduler

/// `/v1/tasks`.
enum TasksAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get, .post) else { return }
            if call.request.method == .post { submit(call) } else { TaskList.reply(to: call) }
            return
        }
        guard path.count <= 2 else { return call.replyUnknownPath() }
        let action = path.dropFirst().first
        if name == "batch", action == nil {
            guard call.allows(.post) else { return }
            return TaskBatch.handle(call)
        }
        guard let id = TaskID(name) else { return call.reply(Problem.notFound("task", name)) }
        switch action {
        case nil:
            guard call.allows(.get, .delete) else { return }
            if call.request.method == .delete { delete(id, call) } else { get(id, call) }
        case "retry":
            guard call.allows(.post), call.hasNoBody() else { return }
            retry(id, call)
        case "wait":
            guard call.allows(.get) else { return }
            wait(id, call)
        case "explain":
            guard call.allows(.get) else { return }
            explain(id, call)
        default:
            call.replyUnknownPath()
        }
    }

    // MARK: Submitting

    private static func submit(_ call: Call) {
        let type = call.request.header("content-type")
        switch MediaType(type) {
        case .json:
            // An array may be longer than what holds one object.
            if call.request.body.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") {
                BulkSubmit.array(call)
            } else {
                submitOne(call)
            }
        case .lines:
            BulkSubmit.lines(call)
        case .other:
            call.reply(
                Problem.mediaType(
                    type ?? "", expected: "application/json or application/x-ndjson"))
        }
    }

    private static func submitOne(_ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        guard TemplateExpansion.isNeeded(document.root) else {
            return submit(document, call, options, query.problems)
        }
        let problems = query.problems
        call.expanding(document, options) { submit($0, call, options, problems) }
    }

    private static func submit(
        _ document: JSONDocument, _ call: Call, _ options: Call.Options, _ problems: [JSONProblem]
    ) {
        if GraphReader.isGraph(document.root) {
            GraphSubmit.begin(document, call, options, problems)
        } else {
            submitOne(document, call, options, problems)
        }
    }

    private static func submitOne(
        _ document: JSONDocument, _ call: Call, _ options: Call.Options,
        _ queryProblems: [JSONProblem]
    ) {
        var reader = JSONReader(document.root)
        var spec = TaskSpecReader.read(&reader, as: .submission, in: call.namespace)
        reader.finish()
        let headerKey = call.request.header("idempotency-key")
        var problems = reader.problems + queryProblems
        if let headerKey {
            if let problem = wrong(headerKey, besides: spec?.key) { problems.append(problem) }
            spec?.key = headerKey
        }
        guard problems.isEmpty, var spec else { return call.reply(Problem.invalid(problems)) }
        TaskSpecReader.complete(&spec, from: document.root, call.gateway)
        let command = Command.submit(spec)
        let name = spec.key ?? ""
        call.gateway.request(command, deadline: options.deadline) { answer in
            let outcome = call.success(answer, of: command, noun: "task", name: name)
            guard let outcome else { return }
            guard case .task(let id, let existed) = outcome else {
                preconditionFailure("a submission comes to a task")
            }
            submitted(id, existed: existed, call)
        }
    }

    private static func submitted(_ id: TaskID, existed: Bool, _ call: Call) {
        call.context.metrics.submits += 1
        call.context.metrics.submitLatency.record(
            nanoseconds: call.context.facts.clock().monotonic - call.request.receivedAt)
        reply(to: id, existed: existed, call)
    }

    /// What a request for a task is answered.
    static func reply(to id: TaskID, existed: Bool, _ call: Call) {
        call.reply(status: existed ? 200 : 201) { writer in
            if let task = call.gateway.task(id) {
                writer.task(task)
            } else {
                // Its key is remembered for longer than the task itself was kept.
                writer.beginObject()
                writer.field("id", id.description)
                writer.nullField("state")
                writer.endObject()
            }
        }
    }

    static func wrong(_ headerKey: String, besides key: String?) -> JSONProblem? {
        var detail: String?
        if !(1...Limits.maxKeyBytes).contains(headerKey.utf8.count) {
            detail = "the Idempotency-Key header must have 1 to \(Limits.maxKeyBytes) bytes"
        } else if !NameRule.isPlain(headerKey) {
            detail = "the Idempotency-Key header must not have control characters"
        } else if let key, key != headerKey {
            detail = "is not the same as the Idempotency-Key header"
        }
        return detail.map { JSONProblem(pointer: "/key", detail: $0) }
    }

    // MARK: One task

    private static func get(_ id: TaskID, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(id, call) }
    }

    private static func reply(_ id: TaskID, _ call: Call) {
        guard let task = task(id, call) else {
            return call.reply(Problem.notFound("task", id.description))
        }
        call.reply { $0.task(task) }
    }

    /// nil as well if it is of another namespace.
    static func task(_ id: TaskID, _ call: Call) -> TaskView? {
        call.gateway.namespace(of: id) == call.namespace ? call.gateway.task(id) : nil
    }

    /// Cancels it, or forgets one that has ended.
    private static func delete(_ id: TaskID, _ call: Call) {
        guard call.hasNoBody() else { return }
        var query = call.query
        let isPurge = query.bool("purge") ?? false
        let options = call.options(&query)
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        if isPurge { purge(id, call, options) } else { cancel(id, call, options) }
    }

    private static func purge(_ id: TaskID, _ call: Call, _ options: Call.Options) {
        call.reach(id, "task", id.description, options) {
            call.perform(
                .deleteTask(id), options, noun: "task", name: id.description,
                wrongState: {
                    "The task is \(state(of: id, call)); only one that has ended can be deleted."
                }
            ) { _ in call.reply(HTTPResponse(status: 204)) }
        }
    }

    private static func cancel(_ id: TaskID, _ call: Call, _ options: Call.Options) {
        call.reach(id, "task", id.description, options) {
            call.perform(
                .cancel(id), options, noun: "task", name: id.description,
                wrongState: { "The task is \(state(of: id, call)) already and can't be cancelled." }
            ) { _ in reply(id, call) }
        }
    }

    private static func retry(_ id: TaskID, _ call: Call) {
        guard let options = call.options() else { return }
        call.reach(id, "task", id.description, options) {
            call.perform(
                .retry(id), options, noun: "task", name: id.description,
                wrongState: {
                    "The task is \(state(of: id, call)); only dead, cancelled and expired tasks can be "
                        + "run again."
                }
            ) { _ in reply(id, call) }
        }
    }

    private static func state(of id: TaskID, _ call: Call) -> String {
        call.gateway.replica.scheduler.state(of: id)?.name ?? "gone"
    }

    /// Why it does not run.
    private static func explain(_ id: TaskID, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) {
            call.reach(id, "task", id.description) {
                guard let explanation = call.gateway.replica.scheduler.explain(id) else {
                    preconditionFailure("a task of a namespace is there")
                }
                call.reply { $0.explanation(explanation) }
            }
        }
    }

    /// The task as soon as it is final, or as it stands when the time-out is over: its state tells which.
    private static func wait(_ id: TaskID, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) {
            call.reach(id, "task", id.description) {
                call.gateway.awaitFinal(id, deadline: options.deadline) { _ in reply(id, call) }
            }
        }
    }
}
