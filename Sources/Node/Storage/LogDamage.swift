import Raft

/// Something in a segment that is not as it was written, and that the log goes on in spite of.
struct LogDamage: Equatable, Sendable {
    var path: String
    /// Counted from the file's beginning.
    var offset: Int
    var problem: String
    /// Entries whose content is gone; index and term of each are known. nil: nothing is missing.
    var lost: ClosedRange<Index>?
}

/// What opening a log found besides the log.
struct LogFindings: Equatable, Sendable {
    /// A write that a crash tore and nobody was told of; replaced by zeros.
    struct TornWrite: Equatable, Sendable {
        var path: String
        var range: Range<Int>
    }

    var damages: [LogDamage] = []
    var tornWrite: TornWrite?
    /// Why the state at the log's mark is lost.
    var snapshotProblem: StorageError?
}
