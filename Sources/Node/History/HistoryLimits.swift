import Raft
import Scheduler

/// Bounds of what is written of tasks before they are dropped.
enum HistoryLimits {
    /// Of one file. Gathered in one turn of the loop, so not more than it takes in a few milliseconds.
    static let maxTasksPerFile = 2_000
    static let maxBytesPerFile = 16 << 20
    static let defaultIntervalMilliseconds: Milliseconds = 60_000
    static let intervalRange: ClosedRange<Milliseconds> = 1_000...86_400_000
    /// After a file that could not be written, or a state that could not be read, if the interval is not shorter.
    static let retryNanoseconds: Nanoseconds = 5_000_000_000
    /// How long a look waits for the state to hold all that is acknowledged.
    static let readNanoseconds: Nanoseconds = 10_000_000_000
}
