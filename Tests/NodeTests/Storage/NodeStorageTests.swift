import Raft
import Testing

@testable import Node

struct NodeStorageTests {
    private let initial = Configuration(voters: ["n1", "n2", "n3"])

    private func open(
        _ scratch: ScratchFolder, reports: ReportLog<LogThread.Report> = ReportLog()
    ) throws(StorageError) -> NodeStorage.Opened {
        var settings = SegmentedLog.Settings()
        settings.segmentBytes = 64 << 10
        return try NodeStorage.open(
            root: scratch.path, cluster: "demo", node: "n1", initial: initial,
            settings: settings, onLog: { reports.add($0) }, onSnapshot: { _ in })
    }

    @Test func aNodeComesBackWithItsSnapshotAndLog() throws {
        let scratch = try ScratchFolder()
        let mark = SnapshotMark(index: 2, term: 1, configuration: initial)
        let firstIncarnation: UInt64
        do {
            let opened = try open(scratch)
            let storage = opened.storage
            #expect(opened.state == nil)
            firstIncarnation = storage.directory.incarnation
            storage.log.submit(
                Batch(
                    ticket: 1, hardState: HardState(term: 1, vote: "n1"),
                    entries: (1...3).map { Entry(index: $0, term: 1, payload: .noop) }))
            storage.snapshots.submit(
                .write(mark) { put throws(StorageError) in try put([4, 5]) })
            storage.snapshots.stop()
            storage.log.submit(Batch(ticket: 2, snapshot: mark))
            storage.stop()
        }
        let opened = try open(scratch)
        defer { opened.storage.stop() }
        #expect(opened.storage.directory.incarnation == firstIncarnation + 1)
        #expect(opened.state == [4, 5])
        #expect(
            opened.recovered
                == Recovered(
                    hardState: HardState(term: 1, vote: "n1"), snapshot: mark,
                    entries: [Entry(index: 3, term: 1, payload: .noop)]))
    }

    /// A node whose log vanished must not come back with the votes it gave forgotten.
    @Test func aNodeThatLostItsLogIsRefused() throws {
        let scratch = try ScratchFolder()
        try open(scratch).storage.stop()
        let log = StorageFolder(path: scratch.path + "/n1/log")
        for name in try log.names() { try log.remove(name) }
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        guard case .missing = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// The cluster has the state; what was promised stands in the log.
    @Test(arguments: [true, false]) func aNodeThatLostItsSnapshotGoesOn(isThere: Bool) throws {
        let scratch = try ScratchFolder()
        let mark = SnapshotMark(index: 5, term: 1, configuration: initial)
        let truth = Recovered(
            hardState: HardState(term: 2, vote: "n3"), snapshot: mark,
            entries: [Entry(index: 6, term: 2, payload: .command([7]))])
        do {
            let storage = try open(scratch).storage
            storage.snapshots.submit(
                .write(mark) { put throws(StorageError) in try put([4, 5, 6]) })
            storage.snapshots.stop()
            storage.log.submit(
                Batch(
                    ticket: 1, hardState: truth.hardState, snapshot: mark, resetsLog: true,
                    entries: truth.entries))
            storage.stop()
        }
        let name = "n1/snapshots/snapshot-5-1"
        var bytes = try scratch.bytes(of: name)
        bytes[bytes.count - 34] ^= 1
        if isThere { try scratch.write(bytes, to: name) } else { try scratch.remove(name) }
        let folder = StorageFolder(path: scratch.path + "/n1/snapshots")
        for _ in 0..<2 {
            let opened = try open(scratch)
            #expect(opened.state == nil)
            #expect(opened.recovered.isStateLost)
            #expect(opened.recovered.hardState == truth.hardState)
            #expect(opened.recovered.snapshot == mark)
            #expect(opened.recovered.entries == truth.entries)
            #expect(opened.findings.snapshotProblem != nil)
            // What is left of it is kept for somebody to look at, and never taken for a snapshot again.
            #expect(try folder.names() == (isThere ? ["snapshot-5-1.damaged"] : []))
            opened.storage.stop()
        }
        // A good one comes from a peer.
        let newer = SnapshotMark(index: 6, term: 2, configuration: initial)
        do {
            let storage = try open(scratch).storage
            storage.snapshots.submit(
                .write(newer) { put throws(StorageError) in try put([8]) })
            storage.snapshots.submit(.prune(newer))
            storage.snapshots.stop()
            storage.log.submit(Batch(ticket: 1, snapshot: newer, resetsLog: true))
            storage.stop()
        }
        #expect(try folder.names() == ["snapshot-6-2"])
        let again = try open(scratch)
        #expect(again.state == [8])
        #expect(again.findings == LogFindings())
        again.storage.stop()
    }
}
