/// What one request to the API may ask for.
enum APILimits {
    static let defaultTimeoutMilliseconds: Int64 = 10_000
    static let maxTimeoutMilliseconds: Int64 = 300_000

    static let defaultListItems = 50
    static let maxListItems = 1_000
    /// Bytes of payloads and results in one page; the rest follows on the next one.
    static let maxListBytes = 8 << 20
    /// Units (`Scheduler.list`) that a filter may take for one page; a page may therefore be short, or empty, and have a
    /// next one.
    static let maxListScan = 2_000_000
    /// Units that all lists together may take in one turn of the loop: about a millisecond.
    static let maxScanPerTurn = 20_000
    /// What it takes to copy a thing out of the state and write it, in these units, and the bytes of it that take one more.
    static let scanUnitsPerItem = 80
    static let bytesPerScanUnit = 64

    static func scanUnits(items: Int, bytes: Int) -> Int {
        items * scanUnitsPerItem + bytes / bytesPerScanUnit
    }

    static let maxBulkTasks = 10_000
    /// Tasks of one bulk submission that are read in one turn of the loop.
    static let maxBulkTasksPerTurn = 500
    /// Bytes of a body that holds one object: a payload of the largest size, and the fields around it.
    static let maxObjectBytes = (1 << 20) + (64 << 10)

    /// Ends of attempts in one report.
    static let maxFinishItems = 1_000
    static let maxFinishItemsBytes = 4 << 20
    /// Bytes of a body that ends one attempt: the largest result, and a log whose every byte may need six in JSON.
    static let maxFinishBytes =
        WorkerLimits.maxResultBytes + 6 * WorkerLimits.maxLogTextBytes + (64 << 10)

    static let maxTemplateParameters = 100
    /// Chains and groups within each other.
    static let maxGraphDepth = 16
    /// How long a worker's question for assignments waits for one.
    static let defaultPollMilliseconds: Int64 = 30_000

    static let defaultPreviewItems = 10
    static let maxPreviewItems = 1_000

    /// How long a request for a bulk action waits for its end, if it does not say.
    static let defaultBulkWaitMilliseconds: Int64 = 5_000

    /// Occurrences that a resumed schedule counts as skipped in one turn of the loop, and in all.
    static let maxSkippedPerTurn = 500
    static let maxSkipped = 1_000_000

    /// Snapshots that one node holds open for backups.
    static let maxBackups = 2
    /// Pieces of them that are being read at a time.
    static let maxBackupReads = 8
    static let backupChunkBytes = 1 << 20
    /// A backup that nobody has read from for this long is let go.
    static let backupIdleNanoseconds: UInt64 = 60_000_000_000
    static let backupRetryAfterSeconds = 10

    /// Clients of one node that follow events.
    static let maxEventReaders = 1_000
    /// Events that one of them is told of in one turn of the loop.
    static let maxEventsPerTurn = 1_000
    /// A client that nothing happens for hears from the node at least this often.
    static let eventKeepAliveNanoseconds: UInt64 = 15_000_000_000

    /// Seconds after which a refused client should come again.
    static let retryAfterSeconds = 1
}
