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

    @Test func aNodeThatLostItsSnapshotIsRefused() throws {
        let scratch = try ScratchFolder()
        do {
            let storage = try open(scratch).storage
            storage.log.submit(
                Batch(
                    ticket: 1, hardState: HardState(term: 1),
                    snapshot: SnapshotMark(index: 5, term: 1, configuration: initial),
                    resetsLog: true))
            storage.stop()
        }
        try scratch.write([1], to: "n1/snapshots/snapshot-9-1")
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        #expect(error?.description.contains("snapshot-5-1") == true)
        // What was there is still there for somebody to look at.
        #expect(
            try StorageFolder(path: scratch.path + "/n1/snapshots").names() == ["snapshot-9-1"])
    }
}
