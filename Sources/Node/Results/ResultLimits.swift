import Raft
import Scheduler

/// Bounds of the stores of results and logs.
enum ResultLimits {
    /// What a store removes although nobody says so: files that no task refers to. Not at once: what is written is not
    /// referred to until the log says so.
    static let orphanMilliseconds: Milliseconds = 3_600_000
    /// How long a file has to have been too old before it is removed.
    static let agedNanoseconds: Nanoseconds = 3_600_000_000_000
    static let sweepNanoseconds: Nanoseconds = 300_000_000_000
    /// How long a sweep waits for the state to hold all that is acknowledged.
    static let sweepReadNanoseconds: Nanoseconds = 10_000_000_000
    /// Looked up in the state in one turn of the loop.
    static let maxFilesPerTurn = 2_000
    /// Logs of running attempts together; what is over is dropped, and the log says so.
    static let maxGatheredBytes = 64 << 20

    static let defaultRetentionMilliseconds: Milliseconds = 7 * 86_400_000
    static let defaultMaxMegabytes: UInt64 = 10_240

    /// One request to a bucket.
    static let bucketRequestNanoseconds: Nanoseconds = 30_000_000_000
    static let maxBucketTries = 3
    static let bucketRetryNanoseconds: Nanoseconds = 300_000_000
    static let maxBucketListFiles = 1_000_000
}
