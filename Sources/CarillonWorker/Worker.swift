import Foundation
internal import Node

/// Runs tasks of a Carillon cluster by functions of your program.
///
/// ```swift
/// var worker = Worker(id: "mailer-1", servers: ["http://10.0.0.1:7201", "http://10.0.0.2:7201"], slots: 4)
/// worker.handle("send-mail") { (mail: Mail, attempt) async throws in
///     attempt.report(progress: 50, note: "rendered")
///     return try await send(mail)
/// }
/// try await worker.run()
/// ```
///
/// A function may run more than once for a task: if the worker is lost, somebody else gets its tasks. `Attempt.fence` tells
/// later attempts from earlier ones. The clocks of the machines need not agree.
public struct Worker: Sendable {
    typealias Body = @Sendable (Attempt, [UInt8]) async throws -> [UInt8]

    private let id: String
    private let servers: [String]
    private let slots: Int
    private let tags: [String]
    private let token: String?
    private var bodies: [String: Body] = [:]

    /// - Parameters:
    ///   - id: Its name in the cluster: no node's, and no other process's. Who starts under the name of a worker takes its place.
    ///   - servers: Addresses of nodes, `http://host:port`. One is enough to begin with; with more of them the worker goes on
    ///     when that one is away.
    ///   - slots: Attempts that run at a time.
    ///   - tags: It is given tasks that ask for these.
    public init(
        id: String, servers: [String], slots: Int = 4, tags: [String] = [], token: String? = nil
    ) {
        self.id = id
        self.servers = servers
        self.slots = slots
        self.tags = tags
        self.token = token
    }

    /// Runs tasks of the handler `name` by `body`. What it returns is the task's result; what it throws is a failure, which is
    /// tried again as the task says. Throw a `TaskFailure` to say more.
    ///
    /// When an attempt is to end (the task was cancelled, its time is over, or the cluster is lost), the Swift task that `body`
    /// runs in is cancelled, and nobody hears what it returns then. It should return soon: its slot may be somebody else's.
    public mutating func handle<
        Payload: Decodable & SendableMetatype, Output: Encodable & SendableMetatype
    >(
        _ name: String,
        _ body: @escaping @Sendable (_ payload: Payload, _ attempt: Attempt) async throws -> Output
    ) {
        bodies[name] = { attempt, bytes in
            let payload: Payload
            do {
                payload = try JSONDecoder().decode(Payload.self, from: Data(bytes))
            } catch {
                throw TaskFailure(
                    "the payload is not what \(attempt.handler) takes: \(error)", kind: "payload",
                    retry: false)
            }
            let output = try await body(payload, attempt)
            return [UInt8](try JSONEncoder().encode(output))
        }
    }

    /// Attaches to the cluster and runs its tasks until the process gets one of `signals`. Then it takes nothing more, lets what
    /// runs end within 20 s, hands the rest back, and returns. A second signal hands back at once, and so does it when the task
    /// that called `run` is cancelled. It does not return before all functions have.
    ///
    /// Call it early: a signal that comes before ends the process as usual. What the worker has to say goes to standard error.
    /// Throws a `WorkerError` if it can't run, or if another process takes its name.
    public func run(drainingAt signals: [Int32] = [SIGTERM, SIGINT]) async throws {
        let (attempts, feed) = AsyncStream.makeStream(of: EmbeddedAttempt.self)
        let ending = Ending()
        let worker = try start(feed, ending)
        let sources = signals.map { number in
            // By default it would end the process, whoever listens.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { worker.terminate() }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
        }
        let failure = await withTaskCancellationHandler {
            await serve(attempts)
            return await ending.wait()
        } onCancel: {
            worker.terminate()
            worker.terminate()
        }
        if let failure { throw WorkerError(reason: failure.reason) }
    }

    private func start(
        _ feed: AsyncStream<EmbeddedAttempt>.Continuation, _ ending: Ending
    ) throws -> EmbeddedWorker {
        do throws(EmbeddedWorker.Failure) {
            let worker = try EmbeddedWorker(
                EmbeddedWorker.Settings(
                    id: id, servers: servers, token: token, slots: slots, tags: tags,
                    handlers: Array(bodies.keys)))
            try worker.start(run: { feed.yield($0) }) { failure in
                feed.finish()
                ending.set(failure)
            }
            return worker
        } catch {
            throw WorkerError(reason: error.reason)
        }
    }

    /// Returns when the worker is over and everything it began has ended.
    private func serve(_ attempts: AsyncStream<EmbeddedAttempt>) async {
        await withDiscardingTaskGroup { group in
            for await attempt in attempts {
                guard let body = bodies[attempt.handler] else {
                    preconditionFailure("the cluster gives a worker what it has")
                }
                group.addTask { await AttemptRun(attempt, body).run() }
            }
        }
    }
}

/// Why a worker can't run.
public struct WorkerError: Error, CustomStringConvertible {
    public let reason: String

    public var description: String { reason }
}
