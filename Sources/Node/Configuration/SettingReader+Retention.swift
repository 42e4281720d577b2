import Scheduler

/// How long tasks that have ended are kept, and what becomes of them then.
extension SettingReader {
    mutating func retention(
        _ reader: inout JSONReader, into result: inout ClusterConfiguration
    ) {
        if let value = age("succeeded", &reader) { result.retention.succeededMilliseconds = value }
        if let value = age("cancelled", &reader) { result.retention.cancelledMilliseconds = value }
        if let value = age("expired", &reader) { result.retention.expiredMilliseconds = value }
        if let value = age("dead", &reader) { result.retention.deadMilliseconds = value }
        if let value = count("maxFinished", &reader) { result.retention.maxFinished = value }
        if let value = count("maxDead", &reader) { result.retention.maxDead = value }
        let isWanted = reader.has("export")
        section("export", of: &reader) { settings, reader in
            result.history = settings.history(&reader, isWanted: isWanted)
        }
        result.retention.isExported = result.history != nil
    }

    private mutating func age(_ name: String, _ reader: inout JSONReader) -> Milliseconds? {
        durationMilliseconds(["retention", name], of: &reader, in: Retention.ageRange)
    }

    private mutating func count(_ name: String, _ reader: inout JSONReader) -> UInt32? {
        integer(["retention", name], of: &reader, in: 0...Int64(Limits.maxKeptTasks))
            .map(UInt32.init)
    }

    /// nil if there is none, or if it is wrong.
    private mutating func history(
        _ reader: inout JSONReader, isWanted: Bool
    ) -> ClusterConfiguration.History? {
        let directory = text(["retention", "export", "directory"], of: &reader)
        let interval = durationMilliseconds(
            ["retention", "export", "interval"], of: &reader, in: HistoryLimits.intervalRange)
        guard let directory else {
            if (isWanted || interval != nil) && !reader.has("directory") {
                problem(JSONPointer.appending("directory", to: reader.pointer), "is required")
            }
            return nil
        }
        return ClusterConfiguration.History(
            directory: directory.text,
            intervalMilliseconds: interval ?? HistoryLimits.defaultIntervalMilliseconds)
    }
}
