import Raft
import Scheduler

/// Brings what attempts say of their progress into the log, so that it is seen through any node and outlives the one it
/// was reported to. Of each attempt at most one report a second gets there, the newest: a handler may report as often as
/// it likes.
final class ProgressBoard {
    static let intervalNanoseconds: Nanoseconds = 1_000_000_000
    /// Nobody waits for the outcome; after this time a newer report is worth more.
    private static let patienceNanoseconds: Nanoseconds = 10_000_000_000

    private struct Key: Hashable {
        let task: TaskID
        let attempt: UInt32
    }

    private let gateway: Gateway
    private let facts: NodeFacts
    /// Attempts that have reported within the interval, with what they have said since.
    private var waiting: [Key: ProgressReport?] = [:]

    init(gateway: Gateway, facts: NodeFacts) {
        self.gateway = gateway
        self.facts = facts
    }

    func report(_ report: ProgressReport) {
        let key = Key(task: report.task, attempt: report.attempt)
        guard let known = waiting[key] else { return send(report, key) }
        var newest = report
        newest.progress.percent = report.progress.percent ?? known?.progress.percent
        newest.progress.note = report.progress.note ?? known?.progress.note
        waiting[key] = .some(newest)
    }

    private func send(_ report: ProgressReport, _ key: Key) {
        waiting[key] = .some(nil)
        let now = facts.clock().monotonic
        // Refused, it came too late or to nobody: there is nothing to be mended, and the next one says more.
        gateway.request(.reportProgress(report), deadline: now + Self.patienceNanoseconds) { _ in }
        facts.schedule(now + Self.intervalNanoseconds) { [weak self] in self?.intervalOver(key) }
    }

    private func intervalOver(_ key: Key) {
        guard let report = waiting.removeValue(forKey: key), let report else { return }
        send(report, key)
    }
}

extension TaskProgress {
    /// As a handler wrote it, within the limits of the state.
    init(_ progress: AttemptProgress) {
        self.init(
            percent: progress.percent.map { UInt8(min(max($0, 0), 100)) },
            note: progress.note.map { Self.shortened($0) })
    }

    private static func shortened(_ note: String) -> String {
        var note = Substring(note)
        while note.utf8.count > Limits.maxProgressNoteBytes { note = note.dropLast() }
        return String(note)
    }
}
