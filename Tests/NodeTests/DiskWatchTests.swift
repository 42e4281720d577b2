import Raft
import Testing

@testable import Node

@Suite struct DiskWatchTests {
    private func verdicts(_ pending: [Nanoseconds?]) -> [DiskWatch.Verdict] {
        var watch = DiskWatch()
        return pending.map { watch.verdict(pendingSince: $0) }
    }

    @Test func aBusyDiskIsFine() {
        #expect(verdicts([1, 2, 3, nil, 4, 5]).allSatisfy { $0 == .fine })
    }

    @Test func theSameBatchWaitingIsSlowAndThenStalled() {
        let found = verdicts(Array(repeating: 7, count: DiskWatch.stallChecks + 1))
        #expect(found[1] == .fine)
        #expect(found[2] == .slow)
        #expect(found[DiskWatch.stallChecks - 1] == .slow)
        #expect(found[DiskWatch.stallChecks] == .stalled(seconds: 15))
    }

    @Test func progressStartsTheCountAnew() {
        let found = verdicts([7, 7, 7, 8, 8])
        #expect(found == [.fine, .fine, .slow, .fine, .fine])
    }

    @Test func snapshotsArePrunedWhenTheirBatchIsDurable() {
        var watch = DiskWatch()
        let mark = SnapshotMark(index: 5, term: 1, configuration: Configuration(voters: ["n1"]))
        watch.pruneWhenDurable(mark, 10)
        let early = watch.takePrunable(durable: 9)
        #expect(early.isEmpty)
        let late = watch.takePrunable(durable: 10)
        #expect(late == [mark])
        let again = watch.takePrunable(durable: 11)
        #expect(again.isEmpty)
    }
}
