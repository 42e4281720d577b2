import Scheduler

/// Bounds on what an attempt may take and leave.
enum WorkerLimits {
    /// Results of others in a variable of a process: Linux takes 128 KiB with the name.
    static let maxInputsBytes = 96 * 1024
    /// Between SIGTERM and SIGKILL.
    static let killGraceMilliseconds: Int64 = 5_000
    /// Handed to the launching thread at a time; those beyond can still be stopped before they start.
    static let maxLaunchesInFlight = 4
    static let maxRunning = 10_000

    static let maxBatchCount = 1_000
    /// Of the payloads of a batch; one that is larger by itself is a batch of its own.
    static let maxBatchBytes = 8 << 20
    static let maxBatchAnswerBytes = 8 << 20

    /// Of a result in the state or in a store.
    static let maxResultBytes = Int(Limits.maxStoredResultBytes)
    static let maxErrorMessageBytes = Limits.maxErrorMessageBytes
    /// What is kept of the end of standard error, for the message of a failure.
    static let maxErrorTailBytes = 8 * 1024
    /// What is passed on of standard error as the task's log; the rest is counted and dropped.
    static let maxLogBytesPerAttempt = 1 << 20
    /// With what says that there was more.
    static let maxLogTextBytes = maxLogBytesPerAttempt + 4 * 1024
    static let maxProgressLineBytes = 4 * 1024
    static let maxProgressNoteBytes = 512
    /// Read of each pipe after the process has ended, while a grandchild may go on writing.
    static let maxDrainBytes = 256 * 1024
    /// One read of a pipe; a pipe holds no more.
    static let maxReadBytes = 64 * 1024

    static let maxPalindromeBytes = 64 * 1024

    static let maxRetryAfterMilliseconds: Int64 = 24 * 3_600_000
    static let maxConnectionsPerHost = 256
    static let maxURLBytes = 8 * 1024
    static let maxHeaderBytes = 8 * 1024
    /// What is quoted of the body of a refusal.
    static let maxQuotedBodyBytes = 200
}
