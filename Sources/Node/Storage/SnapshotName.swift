import Raft

/// File names in the directory of snapshots: `snapshot-<index>-<term>`, and the same with `.new` or
/// `.incoming` behind it while it is being written or received, with `.damaged` when it was found bad.
struct SnapshotName: Equatable, Sendable {
    static let incomingSuffix = ".incoming"

    static let damagedSuffix = ".damaged"

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
