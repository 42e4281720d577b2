import Raft
import Testing

@testable import Node

struct SnapshotThreadTests {
    private let mark = SnapshotMark(
        index: 4, term: 2, configuration: Configuration(voters: ["n1"]))

    @Test func jobsAreDoneInOrder() throws {
        let scratch = try ScratchFolder()
        let reports = ReportLog<SnapshotThread.Report>()
        let thread = try SnapshotThread(store: SnapshotStore(folder: scratch.folder)) {
            reports.add($0)
        }
        let newer = SnapshotMark(index: 9, term: 2, configuration: mark.configuration)
        thread.submit(.write(mark) { put throws(StorageError) in try put([1, 2, 3]) })
        thread.submit(.load(mark))
        thread.submit(.readChunk(to: "n2", mark, offset: 8, maxBytes: 4))
        thread.submit(.readChunk(to: "n2", newer, offset: 0, maxBytes: 4))
        thread.submit(
            .storeChunk(
                Message.SnapshotChunk(
                    mark: newer, offset: 0, bytes: [1], totalBytes: 9, round: 1)))
        thread.submit(.prune(mark))
        thread.stop()
        let all = reports.all
        try #require(all.count == 5)
        guard case .written(mark, let fileBytes, _) = all[0] else {
            Issue.record("\(all[0])")
            return
        }
        #expect(all[1] == .loaded(mark, state: [1, 2, 3]))
        #expect(
            all[2]
                == .chunkRead(
                    to: "n2", mark, offset: 8, bytes: [1, 0, 0, 0],
                    totalBytes: UInt64(fileBytes)))
        #expect(all[3] == .chunkGone(to: "n2", newer))
        #expect(all[4] == .chunkStored(newer, nextOffset: 1, isComplete: false))
    }

    @Test func whoIsInAHurryTakesNoRest() {
        #expect(SnapshotThread.restNanoseconds(after: 5_000_000, isHasty: false) == 15_000_000)
        #expect(SnapshotThread.restNanoseconds(after: .max, isHasty: false) == 250_000_000)
        #expect(SnapshotThread.restNanoseconds(after: 5_000_000, isHasty: true) == 0)
        #expect(SnapshotThread.Job.prune(mark).canWait)
        #expect(!SnapshotThread.Job.load(mark).canWait)
        #expect(!SnapshotThread.Job.readChunk(to: "n2", mark, offset: 0, maxBytes: 1).canWait)
    }

    @Test func theFirstErrorIsTheLastReport() throws {
        let scratch = try ScratchFolder()
        let reports = ReportLog<SnapshotThread.Report>()
        let thread = try SnapshotThread(store: SnapshotStore(folder: scratch.folder)) {
            reports.add($0)
        }
        thread.submit(.load(mark))
        thread.submit(.write(mark) { put throws(StorageError) in try put([1]) })
        thread.stop()
        guard case .failed(.missing) = reports.all.first, reports.all.count == 1 else {
            Issue.record("\(reports.all)")
            return
        }
        #expect(try scratch.folder.names() == [])
    }
}
