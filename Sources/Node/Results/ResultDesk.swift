import Raft
import Scheduler

/// Brings what attempts leave, if it is too large for the state, into a store before the log is told of it; and removes from
/// the store what nothing refers to any more.
///
/// A finish that names a stored result is proposed only when the store has that for good. If the node dies in between,
/// the file is an orphan: another attempt writes one of its own name, and the orphan goes by its age.
final class ResultDesk {
    let store: any ResultStore
    private let gateway: Gateway
    private let facts: NodeFacts
    private let log: Log
    private let retentionMilliseconds: Milliseconds
    private var logs = AttemptLogs()
    /// Written for a finish that the log has not answered yet, however long that may take.
    private var offered: Set<StoredName> = []
    /// Files that seem to be too old, by when they first did.
    private var aged: [StoredName: Nanoseconds] = [:]
    /// For so long a file has to seem so.
    var agedNanoseconds = ResultLimits.agedNanoseconds

    init(
        store: any ResultStore, settings: ClusterConfiguration.Results, gateway: Gateway,
        facts: NodeFacts, log: Log
    ) {
        self.store = store
        retentionMilliseconds = settings.retentionMilliseconds
        self.gateway = gateway
        self.facts = facts
        self.log = log
    }

    // MARK: Attempts

    func write(_ bytes: ArraySlice<UInt8>, toLogOf assignment: Assignment) {
        logs.append(bytes, of: AttemptName(assignment.task, assignment.attempt))
    }

    /// Of an attempt that runs here.
    func openLog(of attempt: AttemptName) -> [UInt8]? { logs[attempt] }

    /// Stores what is to be stored of an attempt's end, and calls `then` with what the log is to be told. Once that has
    /// answered, `answered` is to be called. `text`: the attempt's log, if it was not written here.
    func settle(_ finish: Finish, log text: [UInt8]? = nil, then: @escaping (Finish) -> Void) {
        let gathered = logs.take(AttemptName(finish.task, finish.attempt))
        guard let text = text ?? gathered, !text.isEmpty else {
            return settleResult(finish, then: then)
        }
        let name = StoredName(finish, .log)
        offered.insert(name)
        store.put(name, text, isDurable: false) { [self] outcome in
            var finish = finish
            switch outcome {
            case .success: finish.log = Finish.Log(bytes: UInt32(text.count), node: store.node)
            // The log is of less worth than the attempt's end.
            case .failure(let failure): complain("a log was not kept", name, failure)
            }
            settleResult(finish, then: then)
        }
    }

    /// Stores the log of an attempt that the log of the cluster has taken away, if it wrote anything. Once `then` has been
    /// answered, `answered` is to be called.
    func keepLog(of assignment: Assignment, then: @escaping (LogReport) -> Void) {
        let attempt = AttemptName(assignment.task, assignment.attempt)
        guard let text = logs.take(attempt), !text.isEmpty else { return }
        let name = StoredName(
            task: attempt.task, attempt: attempt.attempt, fence: assignment.fence, kind: .log)
        offered.insert(name)
        store.put(name, text, isDurable: false) { [self] outcome in
            switch outcome {
            case .success:
                then(
                    LogReport(
                        task: name.task,
                        log: AttemptLog(
                            attempt: name.attempt, fence: name.fence, bytes: UInt32(text.count),
                            node: store.node)))
            case .failure(let failure):
                offered.remove(name)
                complain("a log was not kept", name, failure)
            }
        }
    }

    private func settleResult(_ finish: Finish, then: @escaping (Finish) -> Void) {
        guard case .succeeded(let bytes) = finish.result, bytes.count > Limits.maxResultBytes
        else { return then(finish) }
        let name = StoredName(finish, .result)
        offered.insert(name)
        store.put(name, bytes, isDurable: true) { [self] outcome in
            var finish = finish
            switch outcome {
            case .success(let checksum):
                finish.result = .stored(
                    StoredOutput(
                        bytes: UInt64(bytes.count), checksum: checksum, node: store.node))
            case .failure(let failure):
                complain("a result was not kept", name, failure)
                finish.result = .failure(
                    .resultStore, "the result has \(bytes.count) bytes, and: \(failure)")
            }
            then(finish)
        }
    }

    /// The log knows, or will never know, of what this finish refers to.
    func answered(_ finish: Finish) {
        offered.remove(StoredName(finish, .log))
        offered.remove(StoredName(finish, .result))
    }

    func answered(_ report: LogReport) {
        offered.remove(
            StoredName(
                task: report.task, attempt: report.log.attempt, fence: report.log.fence, kind: .log)
        )
    }

    // MARK: Sweeping

    /// Looks through the store now and again. `running`: the attempts of this node.
    func sweepForever(running: @escaping () -> [AttemptName]) {
        logs.keep(only: Set(running()))
        let next = { [weak self, facts] in
            let time = facts.clock().monotonic + ResultLimits.sweepNanoseconds
            facts.schedule(time) { self?.sweepForever(running: running) }
        }
        guard isSweeper else { return next() }
        // A node that lags behind knows of too little.
        let deadline = facts.clock().monotonic + ResultLimits.sweepReadNanoseconds
        gateway.read(isStale: false, deadline: deadline) { [weak self] refusal in
            guard let self, refusal == nil, isSweeper else { return next() }
            list(then: next)
        }
    }

    /// A bucket is everybody's: the leader looks after it.
    private var isSweeper: Bool { !store.node.isEmpty || gateway.replica.raft.role == .leader }

    private func list(then: @escaping () -> Void) {
        store.list { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .success(let files): sweep(files, from: 0, superfluous: [], then: then)
            case .failure(let failure):
                log.warning("results can't be listed", ["problem": .text("\(failure)")])
                then()
            }
        }
    }

    private func sweep(
        _ files: [StoredFile], from start: Int, superfluous: [StoredName],
        then: @escaping () -> Void
    ) {
        var superfluous = superfluous
        let end = min(files.count, start + ResultLimits.maxFilesPerTurn)
        let clock = facts.clock()
        superfluous += files[start..<end].filter { isSuperfluous($0, clock) }.map(\.name)
        if end < files.count {
            return facts.later { [weak self] in
                self?.sweep(files, from: end, superfluous: superfluous, then: then)
            }
        }
        for name in superfluous { aged[name] = nil }
        // Those that were looked at since are removed by then; these have gone some other way.
        aged = aged.filter { clock.monotonic < $0.value + 2 * agedNanoseconds }
        guard !superfluous.isEmpty else { return then() }
        let count = superfluous.count
        store.remove(superfluous) { [log] failure in
            if let failure {
                log.warning("results can't be removed", ["problem": .text("\(failure)")])
            } else {
                log.info("results and logs removed", ["files": .integer(Int64(count))])
            }
            then()
        }
    }

    /// Ages are differences of wall clocks, and one that jumps ahead makes everything old at once: also what another node
    /// has put into a bucket, for a finish that is on its way. So a file goes when it has been too old for an hour of the
    /// monotonic clock.
    func isSuperfluous(_ file: StoredFile, _ clock: Clock) -> Bool {
        let age = clock.wall - file.modifiedAt
        let maxAge =
            isReferred(file.name) ? retentionMilliseconds : ResultLimits.orphanMilliseconds
        guard !offered.contains(file.name), age > maxAge else {
            aged[file.name] = nil
            return false
        }
        let since = aged[file.name] ?? clock.monotonic
        aged[file.name] = since
        return clock.monotonic >= since + agedNanoseconds
    }

    private func isReferred(_ name: StoredName) -> Bool {
        let scheduler = gateway.replica.scheduler
        return switch name.kind {
        case .result:
            scheduler.keepsResult(of: name.task, attempt: name.attempt, fence: name.fence)
        case .log: scheduler.keepsLog(of: name.task, attempt: name.attempt, fence: name.fence)
        }
    }

    private func complain(_ message: String, _ name: StoredName, _ failure: StoreFailure) {
        log.warning("\(message)", ["file": .text("\(name)"), "problem": .text("\(failure)")])
    }
}
