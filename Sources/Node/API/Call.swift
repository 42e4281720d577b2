import Raft
import Scheduler

/// One request on its way through the API. An object, as the call-backs of a request all hold it.
final class Call {
    let context: APIContext
    let request: HTTPRequest
    let responder: HTTPResponder
    /// Whose tasks, queues, schedules and templates it is about.
    let namespace: Namespace

    /// What paths of the request's namespace begin with.
    var base: String { namespace.isStandard ? "/v1" : "/v1/namespaces/\(namespace)" }

    init(
        context: APIContext, request: HTTPRequest, responder: HTTPResponder,
        namespace: Namespace = .standard
    ) {
        self.context = context
        self.request = request
        self.responder = responder
        self.namespace = namespace
    }

    /// How a request wants to be done, from its query.
    struct Options {
        /// When its client wants an answer at the latest.
        var deadline: Nanoseconds
        /// The node's own state will do.
        var isStale: Bool
    }

    var gateway: Gateway { context.gateway }

    // MARK: Answers

    func reply(_ response: HTTPResponse) {
        context.metrics.countResponse(status: response.status)
        responder.send(response)
    }

    func reply(_ problem: Problem) {
        reply(problem.response)
    }

    func refuse(_ refusal: Refusal) {
        context.metrics.count(refusal)
        reply(Problem.refused(refusal))
    }

    func reply(status: Int = 200, _ body: (inout JSONWriter) -> Void) {
        context.write(body) { reply(.json($0, status: status)) }
    }

    func replyUnknownPath() {
        reply(Problem.unknownPath(request.path))
    }

    /// Goes on only if the method is among these.
    func allows(_ methods: HTTPMethod...) -> Bool {
        // What can be read can be asked for without its body.
        let method = request.method == .head ? .get : request.method
        if methods.contains(method) { return true }
        let names = methods.map(\.description).joined(separator: ", ")
        reply(Problem.methodNotAllowed(request.method, allow: names))
        return false
    }

    /// Goes on only if something of the request's namespace may be called so. A colon in a path's name would lead into
    /// another one: in the state, names there have its own in front. Who is about to make something is told by its own
    /// checks what names look like.
    func mayBeHere(_ noun: String, _ name: String, isMade: Bool) -> Bool {
        guard !isMade, !NameRule.isOwnName(name) else { return true }
        reply(Problem.notFound(noun, name))
        return false
    }

    // MARK: What was asked

    var query: QueryReader { QueryReader(request.query) }

    func options(_ query: inout QueryReader, readsState: Bool = false) -> Options {
        let timeout =
            query.durationMilliseconds("timeout", in: 0...APILimits.maxTimeoutMilliseconds)
            ?? APILimits.defaultTimeoutMilliseconds
        return Options(
            deadline: request.receivedAt + Nanoseconds(timeout) * 1_000_000,
            isStale: readsState && query.bool("stale") ?? false)
    }

    /// Options of a request that has no other parameters; nil if it was refused.
    func options(readsState: Bool = false) -> Options? {
        var query = query
        let options = options(&query, readsState: readsState)
        query.finish()
        guard query.problems.isEmpty else {
            reply(Problem.invalid(query.problems))
            return nil
        }
        return options
    }

    /// The body as one JSON value; nil if it was refused.
    func document(maxBytes: Int = APILimits.maxObjectBytes) -> JSONDocument? {
        guard request.body.count <= maxBytes else {
            reply(
                Problem.tooLarge(
                    "The body has \(request.body.count) bytes; \(maxBytes) are allowed."))
            return nil
        }
        let type = request.header("content-type")
        guard MediaType(type) == .json else {
            reply(Problem.mediaType(type ?? "", expected: "application/json"))
            return nil
        }
        do {
            return try JSONDocument(request.body)
        } catch {
            reply(Problem.notJSON(error))
            return nil
        }
    }

    /// As `document`, for bodies of several megabytes: these are read elsewhere, for the loop must not be held. `then` is
    /// called unless the body was refused.
    func largeDocument(maxBytes: Int, then: @escaping (JSONDocument) -> Void) {
        guard request.body.count > APILimits.maxObjectBytes, request.body.count <= maxBytes,
            MediaType(request.header("content-type")) == .json
        else {
            if let document = document(maxBytes: maxBytes) { then(document) }
            return
        }
        let bytes = request.body
        context.bodies.run {
            do throws(JSONError) {
                return .success(try JSONDocument(bytes))
            } catch {
                return .failure(error)
            }
        } then: { [self] outcome in
            switch outcome {
            case .success(let document): then(document)
            case .failure(let error): reply(Problem.notJSON(error))
            }
        }
    }

    /// Refuses a body where none means anything.
    func hasNoBody() -> Bool {
        guard !request.body.isEmpty else { return true }
        reply(
            Problem.invalid([JSONProblem(pointer: "", detail: "no body is expected here")]))
        return false
    }

    // MARK: The cluster

    /// Calls `then` as soon as the local state may be shown.
    func read(_ options: Options, then: @escaping () -> Void) {
        gateway.read(isStale: options.isStale, deadline: options.deadline) { [self] refusal in
            if let refusal { refuse(refusal) } else { then() }
        }
    }

    /// Calls `then` if the task is one of the request's namespace; else there is none for it.
    func reach(_ id: TaskID, _ noun: String, _ name: String, then: () -> Void) {
        guard gateway.replica.scheduler.namespace(of: id) == namespace else {
            return reply(Problem.notFound(noun, name))
        }
        then()
    }

    /// Likewise, where the task is to be changed. A task never goes to another namespace, so what this node knows is true;
    /// of one that it does not know it asks the others first.
    func reach(
        _ id: TaskID, _ noun: String, _ name: String, _ options: Options,
        then: @escaping () -> Void
    ) {
        guard gateway.replica.scheduler.namespace(of: id) == nil else {
            return reach(id, noun, name, then: then)
        }
        read(options) { [self] in reach(id, noun, name, then: then) }
    }

    /// Has a command done; a rejection is answered here, `wrongState` says what it would mean. `refused` is called
    /// after anything else than success was answered.
    func perform(
        _ command: Command, _ options: Options, noun: String, name: String,
        wrongState: @escaping () -> String, then: @escaping (Outcome) -> Void,
        refused: @escaping () -> Void = {}
    ) {
        gateway.request(command, deadline: options.deadline) { [self] answer in
            let outcome = success(
                answer, of: command, noun: noun, name: name, wrongState: wrongState)
            if let outcome { then(outcome) } else { refused() }
        }
    }

    /// What a command came to; nil if anything but success, which is answered here.
    func success(
        _ answer: Gateway.Answer, of command: Command, noun: String, name: String,
        wrongState: () -> String = { "" }
    ) -> Outcome? {
        switch answer {
        case .refused(let refusal):
            refuse(refusal)
        case .outcome(.rejected(.missingDependency)):
            reply(Problem.missing(command.after, namespace, in: gateway.replica.scheduler))
        case .outcome(.rejected(.full)):
            reply(Problem.full(command.crowd))
        case .outcome(.rejected(let rejection)):
            reply(
                rejected(
                    rejection, noun: noun, name: name,
                    wrongState: rejection == .wrongState ? wrongState() : ""))
        case .outcome(let outcome):
            return outcome
        }
        return nil
    }

    /// What the state machine says against a command, with what this node knows besides.
    ///
    /// - Parameter tasks: So many were to be submitted.
    func rejected(
        _ rejection: Rejection, noun: String, name: String = "", wrongState: String = "",
        tasks: Int = 1
    ) -> Problem {
        var problem = Problem.rejected(
            rejection, noun: noun, name: name, wrongState: wrongState)
        if rejection == .namespaceRate,
            let instant = gateway.replica.scheduler.submitInstant(
                tasks, namespace: namespace.name)
        {
            let wait = max(1, instant - context.clusterTime)
            problem.retryAfterSeconds = Int((wait + 999) / 1_000)
        }
        return problem
    }
}

extension Command {
    /// What there are too many of when it is rejected as `full`.
    fileprivate var crowd: String {
        switch self {
        case .putSchedule: "schedules, or namespaces,"
        case .putTemplate: "templates, or namespaces,"
        case .putQueue, .pauseQueue, .resumeQueue: "queues, or namespaces,"
        case .putNamespace: "namespaces"
        case .startBackfill: "running backfills"
        case .registerWorker, .attachWorker: "workers"
        default: "tasks, queues or remembered keys"
        }
    }

    /// What the task waits for that is to be submitted.
    fileprivate var after: [TaskID] {
        if case .submit(let spec) = self { spec.after } else { [] }
    }
}
