import Raft
import Scheduler

/// `/v1/tasks/{id}/result` and `…/logs`: from the state, from the store, or through the node that has it.
///
/// A node that can't answer from what it has passes the request on to the one that can, once: the header says so, and
/// whoever gets such a request answers by itself.
final class ResultsAPI {
    private static let forwardedHeader = "Carillon-Forwarded-By"

    private let context: APIContext
    private var knownClient: HTTPClient?

    init(_ context: APIContext) {
        self.context = context
    }

    func handles(_ path: ArraySlice<String>) -> Bool {
        path.count == 2 && (path.last == "result" || path.last == "logs")
    }

    func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard call.allows(.get), let name = path.first else { return }
        guard let id = TaskID(name) else { return call.reply(Problem.notFound("task", name)) }
        if path.last == "result" { result(id, call) } else { logs(id, call) }
    }

    /// Made for the first request that is passed on.
    private func lazyClient() throws(IOError) -> HTTPClient {
        if let knownClient { return knownClient }
        let made = try context.facts.httpClient()
        knownClient = made
        return made
    }

    // MARK: Results

    /// The result alone, byte for byte.
    private func result(_ id: TaskID, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { [self] in
            guard let task = TasksAPI.task(id, call) else {
                return call.reply(Problem.notFound("task", id.description))
            }
            guard task.state == .succeeded else {
                let reason = task.error.map { ": \($0.message)" } ?? "."
                return call.reply(
                    Problem.conflict("The task is \(task.state.name) and has no result\(reason)"))
            }
            guard let stored = task.stored else {
                return call.reply(.json(task.result ?? Array("null".utf8)))
            }
            let file = StoredName(stored)
            fetch(file, from: stored.output.node, checksum: stored.output.checksum, options, call) {
                .json($0)
            }
        }
    }

    // MARK: Logs

    private func logs(_ id: TaskID, _ call: Call) {
        var query = call.query
        let options = call.options(&query, readsState: true)
        let number = query.integer("attempt", in: 1...Int(UInt32.max))
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        call.read(options) { [self] in
            guard let task = TasksAPI.task(id, call) else {
                return call.reply(Problem.notFound("task", id.description))
            }
            let attempt = number.map { UInt32($0) } ?? task.attempt
            if let log = task.logs.last(where: { $0.attempt == attempt }) {
                let file = StoredName(
                    task: id, attempt: attempt, fence: log.fence, kind: .log)
                return fetch(file, from: log.node, checksum: nil, options, call) {
                    Self.text($0, attempt)
                }
            }
            guard task.state == .running, task.attempt == attempt, let worker = task.worker else {
                return call.reply(Self.noLog(attempt, task))
            }
            openLog(AttemptName(id, attempt), worker, options, call)
        }
    }

    /// Of an attempt that runs: its worker's node has what there is so far.
    private func openLog(
        _ attempt: AttemptName, _ worker: String, _ options: Call.Options, _ call: Call
    ) {
        if worker == context.node {
            let bytes = context.results.openLog(of: attempt) ?? []
            return call.reply(Self.text(bytes, attempt.attempt))
        }
        guard context.facts.apiAddress(worker) != nil else {
            return call.reply(
                Problem(
                    kind: .notFound, status: 404,
                    detail:
                        "Attempt \(attempt.attempt) of \(attempt.task) runs on the attached worker "
                        + "\"\(worker)\", which hands over its log with the end."))
        }
        forward(to: worker, options, call) { Self.text($0, attempt.attempt) }
    }

    private static func text(_ bytes: [UInt8], _ attempt: UInt32) -> HTTPResponse {
        HTTPResponse(
            status: 200, contentType: "text/plain; charset=utf-8",
            headers: [(name: "Carillon-Attempt", value: "\(attempt)")], body: bytes)
    }

    private static func noLog(_ attempt: UInt32, _ task: TaskView) -> Problem {
        let detail =
            task.attempt == 0
            ? "\(task.id) has not been started."
            : "Attempt \(attempt) of \(task.id) left no log, or it is not known any more."
        return Problem(kind: .notFound, status: 404, detail: detail)
    }

    // MARK: Where it is

    private func fetch(
        _ file: StoredName, from node: String, checksum: [UInt8]?, _ options: Call.Options,
        _ call: Call, response: @escaping ([UInt8]) -> HTTPResponse
    ) {
        guard node == context.results.store.node else {
            return forward(to: node, options, call, response: response)
        }
        context.results.store.get(file, checksum: checksum) { outcome in
            switch outcome {
            case .success(let bytes): call.reply(response(bytes))
            case .failure(.missing):
                call.reply(
                    Problem(
                        kind: .gone, status: 410,
                        detail: "\(file) is not kept any more, or the disk it was on was lost."))
            case .failure(let failure):
                call.reply(
                    Problem(
                        kind: .unreachable, status: 503, detail: "\(file): \(failure).",
                        retryAfterSeconds: APILimits.retryAfterSeconds))
            }
        }
    }

    private func forward(
        to node: String, _ options: Call.Options, _ call: Call,
        response: @escaping ([UInt8]) -> HTTPResponse
    ) {
        guard call.request.header(Self.forwardedHeader) == nil,
            let address = context.facts.apiAddress(node)
        else {
            return call.reply(
                Problem(
                    kind: .unreachable, status: 503,
                    detail: node.isEmpty
                        ? "It is in a bucket, and this node's configuration names none."
                        : "It is with node \"\(node)\", which is not known or has another store now.",
                    retryAfterSeconds: APILimits.retryAfterSeconds))
        }
        let query = call.request.query.map { ($0.name, $0.value) }
        let request = OutgoingRequest(
            method: "GET",
            url: "http://\(address)\(call.request.path)\(PercentEncoding.query(query))",
            headers: [
                (name: Self.forwardedHeader, value: context.node),
                (name: "X-Carillon-Namespace", value: call.namespace.name),
            ])
        let exchange = Exchange()
        do {
            let client = try lazyClient()
            exchange.number = client.send(request) { reply in
                guard exchange.take() else { return }
                Self.answer(call, node, reply, response)
            }
            guard exchange.number != nil else {
                return call.reply(Self.unreachable(node, "\"\(address)\" is no address"))
            }
            context.facts.schedule(options.deadline) {
                guard exchange.take() else { return }
                if let number = exchange.number { client.cancel(number) }
                call.reply(Self.unreachable(node, "it did not answer in time"))
            }
        } catch {
            call.reply(Self.unreachable(node, error.description))
        }
    }

    /// A request that is answered by a reply or by its deadline, whichever comes first.
    private final class Exchange {
        var number: Int?
        private var isOpen = true

        func take() -> Bool {
            defer { isOpen = false }
            return isOpen
        }
    }

    private static func answer(
        _ call: Call, _ node: String, _ reply: OutgoingReply,
        _ response: ([UInt8]) -> HTTPResponse
    ) {
        switch reply {
        case .response(200, _, let body, false): call.reply(response(body))
        case .response(let status, _, let body, _):
            // Its problem says more than we could.
            call.reply(
                HTTPResponse(
                    status: status, contentType: "application/problem+json",
                    headers: status == 503
                        ? [(name: "Retry-After", value: "\(APILimits.retryAfterSeconds)")] : [],
                    body: body))
        case .failed(let reason, _): call.reply(unreachable(node, reason))
        }
    }

    private static func unreachable(_ node: String, _ reason: String) -> Problem {
        Problem(
            kind: .unreachable, status: 503,
            detail: "It is with node \"\(node)\", which can't be asked: \(reason).",
            retryAfterSeconds: APILimits.retryAfterSeconds)
    }
}
