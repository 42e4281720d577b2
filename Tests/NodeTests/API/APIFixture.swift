import Raft
import Testing

@testable import Node
@testable import Scheduler

/// The API on a real loop and real sockets, with a replica of its own whose disk is always done at once.
final class APIFixture {
    struct Reply {
        let status: Int
        let head: String
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func json() throws -> JSONValue { try JSONDocument(body).root }

        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n") where line.hasPrefix(name + ": ") {
                return String(line.dropFirst(name.count + 2))
            }
            return nil
        }
    }

    let http: HTTPFixture
    let gateway: Gateway
    let metrics = Metrics()
    let context: APIContext
    let api: API
    /// What the local worker was told to start, in order.
    private(set) var launched: [Assignment] = []
    /// To other nodes, which don't exist.
    private(set) var sent: [(message: PeerMessage, to: NodeID)] = []
    let peers = Peers()
    let resultFolder: ScratchFolder
    let results: ResultDesk
    /// What the snapshot thread was asked for, which is not there: a test answers.
    let exports = Recorder<SnapshotExport.Job>()
    /// Snapshots that were to be written.
    private(set) var snapshots: [SnapshotMark] = []
    private(set) var persistedEntries = 0
    private(set) var maxEntriesPerBatch = 0

    /// With more than one node there is nobody to elect a leader: this node never has one.
    ///
    /// - Parameter queues: What the configuration says of queues; nobody has declared it.
    init(
        nodes: [String] = ["n1"], slots: UInt32 = 4, feedRecords: Int = 0,
        queues: [InitialQueue] = []
    ) throws {
        resultFolder = try ScratchFolder()
        let http = try HTTPFixture()
        self.http = http
        let clock = { [loop = http.loop] in
            Clock(monotonic: loop.now, wall: SystemClock.wallMilliseconds())
        }
        let voters = nodes.map { NodeID($0) }
        var settings = ReplicaSettings()
        settings.maxFeedRecords = feedRecords
        gateway = Gateway(
            replica: Replica(
                id: voters[0], incarnation: 1, settings: settings,
                worker: WorkerSpec(
                    id: nodes[0], incarnation: 1, slots: slots, handlers: ["echo", "other"],
                    tags: []),
                recovered: Recovered(
                    hardState: HardState(),
                    snapshot: SnapshotMark(
                        index: 0, term: 0, configuration: Configuration(voters: voters)),
                    entries: []),
                state: Scheduler(), planner: .utcOnly, clock: clock(), seed: 1),
            clock: clock)
        var members: [ClusterConfiguration.Member] = []
        for (index, node) in nodes.enumerated() {
            members.append(
                ClusterConfiguration.Member(
                    id: node, peer: Endpoint(host: "127.0.0.1", port: UInt16(7101 + index)),
                    api: Endpoint(host: "127.0.0.1", port: UInt16(7201 + index))))
        }
        let facts = try Self.facts(http.loop, clock, exports, peers)
        results = ResultDesk(
            store: try DirectoryStore(
                ResultDirectory(path: resultFolder.path + "/results", maxBytes: 64 << 20),
                node: nodes[0], loop: http.loop),
            settings: ClusterConfiguration.Results(), gateway: gateway, facts: facts,
            log: Log(level: .error))
        var configuration = ClusterConfiguration(cluster: "test", nodes: members)
        configuration.queues = queues
        context = APIContext(
            node: nodes[0], configuration: configuration,
            gateway: gateway, metrics: metrics,
            facts: facts, results: results,
            zones: ZoneTable(directories: [], read: { _ in nil }))
        api = API(context)
        http.answer = { [unowned self] request, responder in api.handle(request, responder) }
        http.loop.onTurnEnd = { [unowned self] in endTurn() }
        if nodes.count == 1 {
            http.turn { self.gateway.replica.isReady }
            // Nothing of the node's own goes into the log any more.
            http.turn { !self.gateway.replica.scheduler.members.isEmpty }
            // Without slots there is no worker.
            http.turn { slots == 0 || self.gateway.replica.scheduler.worker(nodes[0]) != nil }
        }
    }

    final class Recorder<Item> {
        var items: [Item] = []
    }

    /// Nodes that there are connections to, and when each answered last.
    final class Peers {
        var known: [String: (hello: PeerHello, answeredAt: Nanoseconds)] = [:]

        func hello(_ name: String, since: Nanoseconds?) -> PeerHello? {
            known[name].flatMap { $0.answeredAt >= since ?? 0 ? $0.hello : nil }
        }
    }

    private static func facts(
        _ loop: Loop, _ clock: @escaping () -> Clock, _ exports: Recorder<SnapshotExport.Job>,
        _ peers: Peers
    ) throws(IOError) -> NodeFacts {
        let bodies = try BackgroundThread<Result<JSONDocument, JSONError>>(
            loop: loop, name: "carillon-bodies")
        return NodeFacts(
            clock: clock,
            gauges: {
                MetricsGauges(
                    node: "n1", version: "1", isLeader: true, hasLeader: true, term: 1,
                    commitIndex: 1, appliedIndex: 1, logBytes: 0,
                    counts: Counts(tasksByState: [], schedules: 0, workers: 0, rememberedKeys: 0),
                    workersByState: [], pendingRequests: 0, loopTurns: Histogram(),
                    residentBytes: 0, uptimeSeconds: 0, peers: [])
            },
            isConnected: { _ in false }, hello: { peers.hello($0, since: $1) },
            probe: { _ in }, apiAddress: { _ in nil },
            peerAddress: { _ in nil }, invite: { _, _ in }, lastHeartbeat: { _ in nil },
            export: { exports.items.append($0) },
            bodies: bodies,
            httpClient: { () throws(IOError) in try HTTPClient(loop: loop) },
            later: { loop.later($0) },
            schedule: { _ = loop.schedule(at: $0, $1) }
        )
    }

    private func endTurn() {
        let now = http.loop.now
        gateway.expire(now: now)
        if gateway.replica.nextDeadline(now: now) <= now { gateway.step(.tick) }
        repeat {
            gateway.finishTurn { perform($0) }
        } while gateway.hasInput
        api.turnEnded()
    }

    private func perform(_ effect: ReplicaEffect) {
        switch effect {
        case .persist(let batch):
            persistedEntries += batch.entries.count
            maxEntriesPerBatch = max(maxEntriesPerBatch, batch.entries.count)
            gateway.step(.durable(batch.ticket))
        case .launch(let assignment): launched.append(assignment)
        case .send(let message, let target): sent.append((message, target))
        case .leadershipChanged: api.leadershipChanged()
        case .writeSnapshot(let mark, _): snapshots.append(mark)
        default: break
        }
    }

    // MARK: Requests

    func call(
        _ method: String, _ path: String, _ body: String? = nil, type: String = "application/json",
        headers: [String] = []
    ) throws -> Reply {
        try reply(
            to: begin(method, path, body, type: type, headers: headers),
            hasBody: method != "HEAD")
    }

    /// Sends a request without waiting for its answer.
    func begin(
        _ method: String, _ path: String, _ body: String? = nil, type: String = "application/json",
        headers: [String] = []
    ) throws -> HTTPProbe {
        let client = try http.client()
        var head = "\(method) \(path) HTTP/1.1\r\nhost: test\r\n"
        for header in headers { head += header + "\r\n" }
        if let body {
            head += "content-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n"
        }
        client.send(head + "\r\n" + (body ?? ""))
        return client
    }

    func reply(to client: HTTPProbe, hasBody: Bool = true) throws -> Reply {
        var reply: Reply?
        http.turn {
            client.poll()
            reply = Self.reply(in: client.received, hasBody: hasBody)
            return reply != nil || client.hasEnded
        }
        return try #require(reply, "the connection ended with \(client.text)")
    }

    private static func reply(in bytes: [UInt8], hasBody: Bool) -> Reply? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        guard let status = Int(head.dropFirst(9).prefix(3)) else { return nil }
        let empty = Reply(status: status, head: head, body: [])
        guard hasBody, let length = empty.header("content-length").flatMap(Int.init) else {
            return empty
        }
        let body = bytes[end.upperBound...]
        guard body.count >= length else { return nil }
        return Reply(status: status, head: head, body: Array(body.prefix(length)))
    }

    // MARK: The worker

    /// Ends the attempt of a task that was launched.
    func finish(_ task: String, _ result: AttemptResult) throws {
        http.turn { self.launched.contains { $0.task.description == task } }
        let assignment = try #require(launched.last { $0.task.description == task })
        gateway.step(.attemptEnded(assignment.task, attempt: assignment.attempt))
        var isDone = false
        gateway.request(
            .finish(
                Finish(
                    task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                    result: result)), deadline: .max
        ) { _ in isDone = true }
        http.turn { isDone }
    }
}
