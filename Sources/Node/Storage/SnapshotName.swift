import Raft

/// File names in the directory of snapshots: `snapshot-<index>-<term>`, and the same with `.new` or
/// `.incoming` behind it while it is being written or received, with `.damaged` when it was found bad.
struct SnapshotName: Equatable, Sendable {
    static let incomingSuffix = ".incoming"

    static let damagedSuffix = ".damaged"

    /// A file that nobody needs any more, for the next snapshot to be written into. To free the room of hundreds of
    /// megabytes and to find it again would keep the syncs of the log waiting, most of all where the file system tells
    /// the disk what was freed. It is unfinished like any `.new`, and goes at the next start.
    static let spare = "spare" + StorageFolder.temporarySuffix

    var index: Index
    var term: Term

    init(_ mark: SnapshotMark) {
        index = mark.index
        term = mark.term
    }

    init(index: Index, term: Term) {
        self.index = index
        self.term = term
    }

    /// nil: not the name of a finished snapshot.
    init?(_ name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "snapshot", let index = UInt64(parts[1]),
            let term = UInt64(parts[2])
        else { return nil }
        self.index = index
        self.term = term
        guard text == name else { return nil }
    }

    var text: String { "snapshot-\(index)-\(term)" }

    static func isDamaged(_ name: String) -> Bool { name.hasSuffix(damagedSuffix) }

    static func isUnfinished(_ name: String) -> Bool {
        name.hasSuffix(StorageFolder.temporarySuffix) || name.hasSuffix(incomingSuffix)
    }
}
