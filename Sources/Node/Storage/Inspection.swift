import Raft

/// What stands in the data directory of a node that is not running. Reads as the node itself would, and
/// changes nothing: no repair, no marker, no file, not even the lock's text.
struct Inspection {
    struct Segment {
        var name: String
        var sizeBytes: Int
        /// Up to where batches stand; 0 if none could be read.
        var usedBytes = 0
        /// The entries it holds, whether or not they still count.
        var entries: ClosedRange<Index>?
        var isSealed = false
    }

    struct Snapshot {
        enum Verdict: Equatable {
            /// The log starts from it.
            case inUse
            /// Whole and not needed: older, for a peer that is half through receiving it.
            case older
            /// Removed when the node starts: unfinished, or newer than what the log knows.
            case leftOver
            /// Found damaged before, and out of use.
            case setAside
            case damaged(problem: String)
        }

        var name: String
        var sizeBytes: Int
        var verdict: Verdict
    }

    /// Something that is not as it was written.
    struct Damage: Equatable {
        var path: String
        var offset: UInt64
        var problem: String
        /// What the node does about it when it starts.
        var consequence: String
    }

    let path: String
    private(set) var identity: Identity?
    private(set) var segments: [Segment] = []
    private(set) var spareCount = 0
    private(set) var snapshots: [Snapshot] = []
    /// nil: there is no log, or the node would refuse it.
    private(set) var log: Recovered?
    private(set) var tornWrite: LogFindings.TornWrite?
    private(set) var damages: [Damage] = []
    /// Why the node would not start.
    private(set) var refusal: StorageError?

    var isSound: Bool { damages.isEmpty && refusal == nil }

    /// `directory` is `<data>/<id>`. `observer` is told of every batch of the log.
    ///
    /// Throws `inUse` if the node is running, `missing` if the directory is no node's, `system`.
    init(directory: String, observer: LogRecovery.Observer? = nil) throws(StorageError) {
        path = directory
        let folder = StorageFolder(path: directory)
        let names = try folder.names()
        guard names.contains("identity") || names.contains("log") else {
            throw .missing(path: directory, problem: "this is not the data directory of a node")
        }
        // Held until everything is read, so that no node starts meanwhile.
        let lock = names.contains("lock") ? try Self.holdLock(in: folder) : nil
        defer { withExtendedLifetime(lock) {} }
        try readIdentity(in: folder, isThere: names.contains("identity"))
        try readLog(
            in: StorageFolder(path: folder.path(of: "log")), isThere: names.contains("log"),
            observer: observer)
        if names.contains("snapshots") {
            try readSnapshots(in: StorageFolder(path: folder.path(of: "snapshots")))
        }
        try checkState(in: StorageFolder(path: folder.path(of: "snapshots")))
    }

    /// A node that runs holds it.
    private static func holdLock(in folder: StorageFolder) throws(StorageError) -> StorageFile {
        let file = try folder.open("lock", mode: .read)
        guard try file.lock() else {
            let text = String(decoding: try file.read(count: 32, at: 0), as: UTF8.self)
            throw .inUse(path: folder.path, processID: Int32(text.prefix { $0.isNumber }))
        }
        return file
    }

    private mutating func readIdentity(
        in folder: StorageFolder, isThere: Bool
    ) throws(StorageError) {
        guard isThere else {
            refuse(
                .missing(
                    path: folder.path(of: "identity"),
                    problem: "there is data, but the identity is gone"))
            return
        }
        let file = try folder.open("identity", mode: .read)
        let bytes = try file.read(count: StorageLimits.maxIdentityBytes, at: 0)
        do throws(StorageError) {
            identity = try Identity(decoding: bytes, path: file.path)
        } catch {
            refuse(error)
        }
    }

    private mutating func readLog(
        in folder: StorageFolder, isThere: Bool, observer: LogRecovery.Observer?
    ) throws(StorageError) {
        let names = isThere ? try folder.names() : []
        let segmentNames = names.filter(SegmentName.isSegment)
        spareCount = names.count { SegmentName.spareNumber($0) != nil }
        for name in segmentNames {
            let file = try folder.open(name, mode: .read)
            segments.append(Segment(name: name, sizeBytes: try file.sizeBytes()))
        }
        guard !segmentNames.isEmpty else {
            if identity?.hasLog == true {
                refuse(.missing(path: folder.path, problem: "the log is gone"))
            }
            return
        }
        let notes = SegmentNotes()
        do throws(StorageError) {
            let recovery = try LogRecovery(
                folder: folder, names: segmentNames, mode: .read,
                observer: { observation in
                    notes.add(observation)
                    observer?(observation)
                })
            log = recovery.recovered
            tornWrite = recovery.findings.tornWrite
            for damage in recovery.findings.damages { note(damage, in: recovery.recovered) }
        } catch {
            guard error.isAboutContent else { throw error }
            refuse(error)
        }
        for position in segments.indices { notes.complete(&segments[position]) }
    }

    private mutating func note(_ damage: LogDamage, in recovered: Recovered) {
        var consequence = "nothing is lost"
        if let lost = damage.lost {
            let kept = recovered.entries.filter {
                lost.contains($0.index) && $0.payload == .lost
            }
            let terms = Set(kept.map(\.term)).sorted().map(String.init).joined(separator: ", ")
            consequence =
                kept.isEmpty
                ? "entries \(Self.text(lost)) are lost, and no longer needed"
                : "entries \(Self.text(lost)) of term \(terms) are lost; the node fetches them from "
                    + "its peers"
        }
        damages.append(
            Damage(
                path: damage.path, offset: UInt64(damage.offset), problem: damage.problem,
                consequence: consequence))
    }

    private mutating func readSnapshots(in folder: StorageFolder) throws(StorageError) {
        for name in try folder.names() {
            let file = try folder.open(name, mode: .read)
            var verdict = Snapshot.Verdict.leftOver
            if SnapshotName.isDamaged(name) {
                verdict = .setAside
            } else if let parsed = SnapshotName(name) {
                verdict = try Self.verdict(on: parsed, in: folder, mark: log?.snapshot)
            }
            snapshots.append(
                Snapshot(name: name, sizeBytes: try file.sizeBytes(), verdict: verdict))
        }
    }

    private static func verdict(
        on name: SnapshotName, in folder: StorageFolder, mark: SnapshotMark?
    ) throws(StorageError) -> Snapshot.Verdict {
        do throws(StorageError) {
            let reader = try SnapshotReader(name.text, in: folder)
            guard SnapshotName(reader.mark) == name else {
                return .damaged(problem: "it is a snapshot of index \(reader.mark.index)")
            }
            try reader.verify()
        } catch {
            guard error.isAboutContent else { throw error }
            return .damaged(problem: error.finding)
        }
        guard let mark else { return .older }
        if SnapshotName(mark) == name { return .inUse }
        return (name.index, name.term) < (mark.index, mark.term) ? .older : .leftOver
    }

    /// The state that the log starts from has to be there.
    private mutating func checkState(in folder: StorageFolder) throws(StorageError) {
        for snapshot in snapshots {
            guard case .damaged(let problem) = snapshot.verdict else { continue }
            let isNeeded = log.map { SnapshotName($0.snapshot).text == snapshot.name } ?? true
            damages.append(
                Damage(
                    path: folder.path(of: snapshot.name), offset: 0, problem: problem,
                    consequence: isNeeded
                        ? "the node asks its leader for a snapshot" : "it is not needed"))
        }
        guard let mark = log?.snapshot, mark.index > 0,
            !snapshots.contains(where: { $0.name == SnapshotName(mark).text })
        else { return }
        damages.append(
            Damage(
                path: folder.path(of: SnapshotName(mark).text), offset: 0,
                problem: "the snapshot that the log needs is gone",
                consequence: "the node asks its leader for a snapshot"))
    }

    /// The first reason is the one the node would give.
    private mutating func refuse(_ error: StorageError) {
        refusal = refusal ?? error
    }

    static func text(_ range: ClosedRange<Index>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
}

/// Gathers per segment what recovery reads batch by batch.
private final class SegmentNotes {
    private struct Note {
        var usedBytes = 0
        var entries: ClosedRange<Index>?
        var isSealed = false
    }

    private var notes: [String: Note] = [:]

    func add(_ observation: LogRecovery.Observation) {
        var note = notes[observation.segment] ?? Note()
        note.usedBytes = observation.range.upperBound
        note.isSealed = observation.batch.isLast
        let entries = observation.batch.entries
        var found = entries.first.map { first in
            first.index...(entries.last?.index ?? first.index)
        }
        if let lost = observation.lost { found = Self.union(found, lost) }
        if let found { note.entries = Self.union(note.entries, found) }
        notes[observation.segment] = note
    }

    func complete(_ segment: inout Inspection.Segment) {
        guard let note = notes[segment.name] else { return }
        segment.usedBytes = note.usedBytes
        segment.entries = note.entries
        segment.isSealed = note.isSealed
    }

    private static func union(
        _ first: ClosedRange<Index>?, _ second: ClosedRange<Index>
    ) -> ClosedRange<Index> {
        guard let first else { return second }
        return min(first.lowerBound, second.lowerBound)...max(first.upperBound, second.upperBound)
    }
}
