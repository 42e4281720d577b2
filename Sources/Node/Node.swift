import Raft
import Scheduler

/// A running node: everything that touches the system, wired to the replica. All of it lives on the loop's thread;
/// the log thread and the snapshot thread answer through one mailbox.
///
/// A turn: sockets, timers and mail become inputs of the replica; `endTurn` lets it think and performs what
/// it asks for, in its order; then the loop writes out every socket once.
final class Node {
    /// What other threads say to the loop.
    enum Mail: Sendable {
        case log(LogThread.Report)
        case snapshot(SnapshotThread.Report)
        /// A received snapshot, decoded off the loop.
        case restored(SnapshotMark, Scheduler)
        case halted(String)
        /// What went wrong, if anything.
        case addressesSaved(String?)
    }

    /// Rounds of one turn: answers that ask for new things at once are dealt with in the same turn.
    private static let maxRoundsPerTurn = 16

    let loop: Loop
    let gateway: Gateway
    let worker: LocalWorker
    let log: Log
    let startedAt: Nanoseconds
    let metrics = Metrics()
    private(set) var shutdown: Shutdown?
    let id: NodeID
    let storage: NodeStorage
    let mailbox: Mailbox<Mail>
    private(set) var api: API?
    private(set) var results: ResultDesk?
    private var history: HistoryExporter?
    private(set) var transport: PeerTransport?
    var addressBook: AddressBook
    var seenMembersRevision: UInt64 = 0
    var savedAddresses: [UInt8] = []
    var isSavingAddresses = false
    var loggedStanding = Standing.member
    private var http: HTTPServer?
    private var wakeup: TimerID?
    private var wakeupTime: Nanoseconds = .max
    private var diskWatch = DiskWatch()
    /// Of this turn, on their way to the log thread.
    private var batches: [Batch] = []
    private var lastLeader: NodeID?

    /// The process's exit status once the loop has ended.
    private(set) var exitStatus: Int32 = 0

    init(
        _ configuration: ClusterConfiguration, member: ClusterConfiguration.Member,
        storage: NodeStorage, recovered: Recovered, state: Scheduler, loop: Loop,
        mailbox: Mailbox<Mail>, joins: Bool, log: Log
    ) throws(IOError) {
        id = storage.directory.id
        self.mailbox = mailbox
        addressBook = Self.addressBook(
            configuration, own: member.id, directory: storage.directory)
        self.log = log
        self.loop = loop
        startedAt = loop.now
        self.storage = storage
        worker = LocalWorker(loop: loop, handlers: configuration.handlersOfNodes)
        let replica = Replica(
            id: id, incarnation: storage.directory.incarnation,
            settings: configuration.replicaSettings(for: member, joins: joins),
            worker: WorkerSpec(
                id: member.id, incarnation: storage.directory.incarnation, slots: member.slots,
                handlers: worker.handlerNames, tags: member.tags),
            recovered: recovered, state: state,
            planner: OccurrencePlanner(zones: Self.systemZones),
            clock: SystemClock.clock(),
            seed: UInt64.random(in: .min ... .max))
        gateway = Gateway(replica: replica) {
            // Read anew for each step. The process may have been stopped since the turn began: reads that came in
            // meanwhile must not be answered under a lease that was valid then.
            SystemClock.clock()
        }
        try loop.attach(mailbox) { [unowned self] mail in receive(mail) }
        try listen(configuration, member)
        try loop.onSignal { [unowned self] signal in receive(signal) }
        listenToWorker()
        loop.onTurnEnd = { [unowned self] in endTurn() }
        loop.onFlushed = { [unowned self] in submitBatches() }
    }

    private static var systemZones: ZoneTable {
        .system(environment: Environment.value("TZDIR").map { ["TZDIR": $0] } ?? [:])
    }

    /// Returns when the node has stopped; `exitStatus` says how.
    func run() {
        seenMembersRevision = .max
        loop.later { [unowned self] in watchDisk() }
        loop.later { [unowned self] in sweepResults() }
        loop.later { [unowned self] in history?.begin() }
        loop.run()
        http?.close()
        transport?.close()
        worker.killAll()
        // What Raft handed over is written: nothing was promised on it, but it shortens the next start.
        storage.stop()
    }

    /// Ends the loop, with a message for whoever has to mend it.
    func halt(_ reason: String) {
        log.error("stopped", ["reason": .text(reason)])
        exitStatus = 1
        loop.stop()
    }

    /// Ends the loop in order.
    func finish() { loop.stop() }

    private func listen(
        _ configuration: ClusterConfiguration, _ member: ClusterConfiguration.Member
    ) throws(IOError) {
        let facts = try facts(configuration)
        let results = ResultDesk(
            store: try resultStore(configuration), settings: configuration.results,
            gateway: gateway, facts: facts, log: log)
        history = try configuration.history.map { settings throws(IOError) in
            try HistoryExporter(
                settings, node: member.id, loop: loop, gateway: gateway, facts: facts,
                metrics: metrics, log: log)
        }
        let api = API(
            APIContext(
                node: member.id, configuration: configuration, gateway: gateway, metrics: metrics,
                facts: facts, results: results, zones: Self.systemZones))
        self.api = api
        PagesAPI.prepare()
        self.results = results
        http = try HTTPServer(
            loop: loop, endpoint: member.api,
            onTrouble: { [log] error in
                log.warning("client connections", ["reason": .text(error.description)])
            },
            handler: { request, responder in api.handle(request, responder) })
        let settings = gateway.replica.settings
        var own = PeerHello(
            cluster: configuration.cluster, sender: id, incarnation: storage.directory.incarnation,
            highestStateVersion: settings.highestStateVersion, peer: settings.peerAddress,
            api: settings.apiAddress)
        own.stateVersion = gateway.replica.scheduler.stateVersion
        transport = try PeerTransport(
            loop: loop, own: own, listen: member.peer, peers: [],
            onFrame: { [unowned self] peer, payload in receive(payload, from: peer) },
            onHello: { [unowned self] hello in met(hello) },
            onState: { [unowned self] peer, state in peerChanged(peer, state) },
            log: { [log] text in log.info("\(text)") })
        transport?.isMember = { [unowned self] peer in
            gateway.replica.raft.configuration.isMember(peer)
        }
    }

    /// What the snapshot thread reports, with a loaded state decoded there: that must not hold the loop.
    static func mail(of report: SnapshotThread.Report) -> Mail {
        guard case .loaded(let mark, let bytes) = report else { return .snapshot(report) }
        do {
            return .restored(mark, try Scheduler(snapshot: bytes))
        } catch {
            return .halted("the snapshot at \(mark.index) does not decode: \(error)")
        }
    }

    // MARK: The turn

    private func endTurn() {
        gateway.expire(now: loop.now)
        if loop.now >= wakeupTime { gateway.step(.tick) }
        var rounds = 0
        repeat {
            gateway.finishTurn { perform($0) }
            rounds += 1
        } while gateway.hasInput && rounds < Self.maxRoundsPerTurn && !gateway.replica.holdsAdvance
        api?.turnEnded()
        checkMembers()
        shutdown?.check()
        rearm()
    }

    /// After the turn's messages: the way over another node and its disk is longer than that over the own one, and the
    /// log thread, once awake, may take the processor that they need.
    private func submitBatches() {
        storage.snapshots.setHasty(gateway.replica.isSnapshotPressing)
        guard !batches.isEmpty else { return }
        for batch in batches { storage.log.submit(batch) }
        batches.removeAll(keepingCapacity: true)
    }

    private func rearm() {
        let deadline = gateway.nextDeadline(now: loop.now)
        guard deadline != wakeupTime || wakeup == nil else { return }
        if let wakeup { loop.cancel(wakeup) }
        wakeupTime = deadline
        // The turn's end does the work; the timer only makes the turn.
        wakeup = loop.schedule(at: deadline) { [unowned self] in wakeup = nil }
    }

    private func perform(_ effect: ReplicaEffect) {
        switch effect {
        case .send(let message, let peer):
            // Refused when there is no connection: consensus and resending repair it.
            let pieces = message.encodedPieces(minSharedBytes: OutputQueue.minUncopiedBytes)
            _ = transport?.send(pieces, to: peer)
        case .persist(let batch):
            batches.append(batch)
            if let mark = batch.snapshot { diskWatch.pruneWhenDurable(mark, batch.ticket) }
        case .launch(let assignment):
            launch(assignment)
        case .stop(let task, let attempt):
            worker.stop(task: task, attempt: attempt, reason: .revoked)
        case .stopAll:
            log.warning("lost the leader: running attempts are stopped", [:])
            // Less than the margin between the lease's end and the leader's patience.
            let margin = gateway.replica.settings.leaseMarginNanoseconds
            worker.stopAll(
                reason: .leaseLost, graceMilliseconds: Int64(margin / 2 / 1_000_000))
        case .workerRefused(let reason):
            workerRefused(reason)
        case .schedulePassedOver(let name, let zone):
            log.error(
                "a schedule does not fire while this node leads: its times can't be computed here",
                ["schedule": .text(name), "zone": .text(zone)])
        case .leadershipChanged:
            leadershipChanged()
        case .writeSnapshot(let mark, let state):
            log.info("snapshot begins", ["index": .integer(Int64(mark.index))])
            storage.snapshots.submit(
                .write(mark) { put throws(StorageError) in
                    try state.write { piece throws(StorageError) in try put(piece) }
                })
        case .readSnapshotChunk(let peer, let mark, let offset):
            storage.snapshots.submit(
                .readChunk(
                    to: peer, mark, offset: offset,
                    maxBytes: gateway.replica.settings.raft.maxSnapshotChunkBytes))
        case .storeSnapshotChunk(let chunk):
            storage.snapshots.submit(.storeChunk(chunk))
        case .restore(let mark):
            storage.snapshots.submit(.load(mark))
        case .completed, .refused, .readReady, .finished, .stateReplaced, .beatAnswered,
            .attachedWorkerChanged:
            preconditionFailure("the gateway answers these")
        }
    }

    private func workerRefused(_ reason: Rejection) {
        // Whose name another directory has taken learns from `standing` what it is now.
        guard reason == .staleIncarnation, !gateway.replica.isLeaving else {
            log.error("the cluster refuses this node's worker", ["reason": .text("\(reason)")])
            return
        }
        halt(
            "the cluster knows a later run of node \(id.name) than this one: its data directory is an old copy and "
                + "must not take part")
    }

    private func leadershipChanged() {
        let raft = gateway.replica.raft
        api?.leadershipChanged()
        guard raft.leader != lastLeader else { return }
        lastLeader = raft.leader
        if raft.leader != nil { metrics.leadershipChanges += 1 }
        log.info(
            "leader",
            ["leader": .text(raft.leader?.name ?? "none"), "term": .integer(Int64(raft.term))])
    }

    // MARK: What comes in

    private func receive(_ mail: Mail) {
        switch mail {
        case .log(.durable(let ticket, let nanoseconds)):
            metrics.syncLatency.record(nanoseconds: nanoseconds)
            gateway.step(.durable(ticket))
            for mark in diskWatch.takePrunable(durable: ticket) {
                storage.snapshots.submit(.prune(mark))
            }
        case .log(.failed(let error)):
            halt("the log can't be written: \(error)")
        case .snapshot(let report):
            receive(report)
        case .restored(let mark, let state):
            log.info("snapshot loaded", ["index": .integer(Int64(mark.index))])
            gateway.step(.restored(mark, state))
            api?.snapshotChanged()
        case .halted(let reason):
            halt(reason)
        case .addressesSaved(let problem):
            addressesSaved(problem)
        }
    }

    private func receive(_ report: SnapshotThread.Report) {
        switch report {
        case .written(let mark, let fileBytes, let nanoseconds):
            log.info(
                "snapshot written",
                [
                    "index": .integer(Int64(mark.index)), "bytes": .integer(Int64(fileBytes)),
                    "milliseconds": .integer(Int64(nanoseconds / 1_000_000)),
                ])
            gateway.step(.snapshotWritten(mark, bytes: fileBytes))
            api?.snapshotChanged()
        case .chunkRead(let peer, let mark, let offset, let bytes, let totalBytes):
            gateway.step(
                .snapshotChunkRead(
                    to: peer, mark: mark, offset: offset, bytes: bytes, totalBytes: totalBytes))
        case .chunkGone(let peer, let mark):
            gateway.step(
                .snapshotChunkRead(to: peer, mark: mark, offset: 0, bytes: [], totalBytes: 0))
        case .damaged(let peer, let mark, let error):
            log.error(
                "a snapshot is damaged and not sent; the next one replaces it",
                ["problem": .text(error.finding)])
            gateway.step(.snapshotDamaged(mark))
            gateway.step(
                .snapshotChunkRead(to: peer, mark: mark, offset: 0, bytes: [], totalBytes: 0))
        case .chunkStored(let mark, let nextOffset, let isComplete):
            gateway.step(
                .snapshotChunkStored(mark: mark, nextOffset: nextOffset, isComplete: isComplete))
        case .refused(let mark, let reason):
            log.error("a received snapshot is refused", ["reason": .text(reason)])
            gateway.step(.snapshotChunkStored(mark: mark, nextOffset: 0, isComplete: false))
        case .exported(let reply):
            if case .damaged(_, _, let error) = reply {
                log.error(
                    "a snapshot is damaged and not backed up; the next one replaces it",
                    ["problem": .text(error.finding)])
            }
            api?.exported(reply)
        case .loaded:
            preconditionFailure("loaded snapshots are decoded on their own thread")
        case .failed(let error):
            halt("snapshots can't be written or read: \(error)")
        }
    }

    private func receive(_ signal: Signal) {
        switch signal {
        case .hangUp:
            log.info("hang-up ignored: the configuration is read at the start only", [:])
        case .terminate, .interrupt:
            guard let shutdown else {
                log.info("draining", [:])
                http?.stopAccepting()
                shutdown = Shutdown(node: self)
                shutdown?.begin()
                return
            }
            shutdown.hurry()
        }
    }

    /// No new clients; those that are there leave with their next answer.
    func drainClients() {
        http?.stopAccepting()
        http?.drain()
        api?.drain()
    }

    func closeIdleClients() { http?.closeIdle() }

    var clientCount: Int { http?.connectionCount ?? 0 }

    // MARK: The disk

    private func watchDisk() {
        noteStanding()
        switch diskWatch.verdict(pendingSince: storage.log.oldestPendingSince) {
        case .fine:
            break
        case .slow:
            if gateway.replica.raft.role == .leader {
                log.warning("the disk is slow: leadership is handed over", [:])
                gateway.step(.transferLeadership(to: nil))
            }
        case .stalled(let seconds):
            halt(
                "the disk has not answered for \(seconds) s: check it before the node is started again"
            )
        }
        loop.schedule(at: loop.now + DiskWatch.intervalNanoseconds) { [unowned self] in watchDisk()
        }
    }
}
