import Scheduler

/// What running attempts have written to standard error, until they end. Of each a bounded amount (the worker sees to
/// that), and of all together as well.
struct AttemptLogs {
    private static let notice = Array(
        "\ncarillon: too many logs are open, what follows is not kept\n".utf8)

    private struct Log {
        var bytes: [UInt8] = []
        var isCut = false
        /// Its attempt did not run any more when that was last looked at.
        var isAbandoned = false
    }

    private let maxBytes: Int
    private var logs: [AttemptName: Log] = [:]
    private var totalBytes = 0

    init(maxBytes: Int = ResultLimits.maxGatheredBytes) {
        self.maxBytes = maxBytes
    }

    mutating func append(_ bytes: ArraySlice<UInt8>, of attempt: AttemptName) {
        guard logs[attempt]?.isCut != true else { return }
        let fits = bytes.prefix(max(0, maxBytes - totalBytes))
        logs[attempt, default: Log()].bytes.append(contentsOf: fits)
        totalBytes += fits.count
        guard fits.count < bytes.count else { return }
        logs[attempt]?.isCut = true
        logs[attempt]?.bytes.append(contentsOf: Self.notice)
        totalBytes += Self.notice.count
    }

    /// As it stands; nil: nothing was written.
    subscript(attempt: AttemptName) -> [UInt8]? { logs[attempt]?.bytes }

    mutating func take(_ attempt: AttemptName) -> [UInt8]? {
        guard let log = logs.removeValue(forKey: attempt) else { return nil }
        totalBytes -= log.bytes.count
        return log.bytes
    }

    /// Forgets those of attempts that were taken away: nobody reports their end. Only those that were not running the last
    /// time either, because an end is reported a moment after it.
    mutating func keep(only running: Set<AttemptName>) {
        for attempt in Array(logs.keys) where !running.contains(attempt) {
            if logs[attempt]?.isAbandoned == true { _ = take(attempt) }
            logs[attempt]?.isAbandoned = true
        }
    }
}
