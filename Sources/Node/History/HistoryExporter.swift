import Raft
import Scheduler

/// Writes the tasks whose time is up to files before the cluster forgets them, while this node leads.
///
/// What the state machine drops is what a command names, and the command is proposed only when the file with those tasks is
/// on disk for good. So whatever fails in between, a task is in a file or still there. A leader that is replaced after its
/// file and before its command has its successor write the same tasks once more.
final class HistoryExporter {
    private let folder: HistoryFolder
    private let thread: BackgroundThread<Result<String, StorageError>>
    private let intervalNanoseconds: Nanoseconds
    private let gateway: Gateway
    private let facts: NodeFacts
    private let metrics: Metrics
    private let log: Log

    init(
        _ settings: ClusterConfiguration.History, node: String, loop: Loop, gateway: Gateway,
        facts: NodeFacts, metrics: Metrics, log: Log
    ) throws(IOError) {
        folder = HistoryFolder(path: "\(settings.directory)/\(node)")
        thread = try BackgroundThread(loop: loop, name: "carillon-export")
        intervalNanoseconds = Nanoseconds(settings.intervalMilliseconds) * 1_000_000
        self.gateway = gateway
        self.facts = facts
        self.metrics = metrics
        self.log = log
    }

    func begin() { look(after: intervalNanoseconds) }

    private func look(after pause: Nanoseconds) {
        facts.schedule(facts.clock().monotonic + pause) { [weak self] in self?.look() }
    }

    /// Takes what is due once this state holds all that is acknowledged: it may still have what another leader has dropped,
    /// and that would be written twice.
    private func look() {
        guard gateway.replica.raft.role == .leader else { return look(after: intervalNanoseconds) }
        let deadline = facts.clock().monotonic + HistoryLimits.readNanoseconds
        gateway.read(isStale: false, deadline: deadline) { [weak self, facts] refusal in
            // Not on top of what this turn has applied.
            facts.later { self?.take(refusal) }
        }
    }

    /// A file after the other, until less is there than fits into one.
    private func take(_ refusal: Refusal?) {
        let replica = gateway.replica
        guard replica.raft.role == .leader else { return look(after: intervalNanoseconds) }
        guard refusal == nil else {
            return look(after: min(HistoryLimits.retryNanoseconds, intervalNanoseconds))
        }
        let tasks = replica.scheduler.departures(
            at: replica.clusterTime(at: facts.clock()), limit: HistoryLimits.maxTasksPerFile,
            maxBytes: HistoryLimits.maxBytesPerFile)
        guard !tasks.isEmpty else { return look(after: intervalNanoseconds) }
        thread.run { [folder] in
            do throws(StorageError) {
                return .success(try folder.write(tasks))
            } catch {
                return .failure(error)
            }
        } then: { [weak self] outcome in
            self?.written(tasks, outcome)
        }
    }

    private func written(_ tasks: [TaskView], _ outcome: Result<String, StorageError>) {
        switch outcome {
        case .failure(let error):
            metrics.historyFailures += 1
            log.error(
                "tasks can't be exported, and stay",
                ["tasks": .integer(Int64(tasks.count)), "problem": .text(error.finding)])
            look(after: min(HistoryLimits.retryNanoseconds, intervalNanoseconds))
        case .success(let file):
            metrics.exportedTasks += UInt64(tasks.count)
            log.info(
                "tasks exported", ["file": .text(file), "tasks": .integer(Int64(tasks.count))])
            drop(tasks)
        }
    }

    private func drop(_ tasks: [TaskView]) {
        // No deadline: asked again after a failover, the answer tells when this state knows of it. To look before would be to
        // export them twice.
        gateway.request(.dropExported(tasks.compactMap { Departure($0) }), deadline: .max) {
            [weak self] answer in
            guard let self else { return }
            switch answer {
            case .outcome(.done): look(after: 0)
            // Nothing was done, and the file is there: to look again would be to write another one.
            case .refused(.overloaded):
                facts.schedule(facts.clock().monotonic + HistoryLimits.retryNanoseconds) {
                    [weak self] in self?.drop(tasks)
                }
            default: look(after: intervalNanoseconds)
            }
        }
    }
}
