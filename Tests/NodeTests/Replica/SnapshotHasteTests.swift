import Raft
import Scheduler
import Testing

@testable import Node

/// When a snapshot is not to be written at leisure.
@Suite struct SnapshotHasteTests {
    @Test func whoAsksForASnapshotIsNotKeptWaiting() {
        let cluster = ReplicaCluster.founded(["a"])
        cluster.areSnapshotsSlow = true
        #expect(!cluster["a"].isSnapshotPressing)
        cluster.step("a", .takeSnapshot(atLeast: cluster["a"].applied))
        cluster.run(milliseconds: 10)
        #expect(cluster["a"].isSnapshotPressing && cluster.snapshotsBegun == 1)
        cluster.finishSnapshot()
        cluster.run(milliseconds: 10)
        #expect(!cluster["a"].isSnapshotPressing)
    }

    /// A cluster of one whose log is due for a snapshot with every 10,000 bytes, and the first of those is written.
    private func growing() -> ReplicaCluster {
        let cluster = ReplicaCluster()
        cluster.start("a", founders: ["a"], snapshotLogBytes: 10_000)
        cluster.run { cluster["a"].isReady }
        cluster.run(milliseconds: 10_000)
        cluster.areSnapshotsSlow = true
        grow(cluster, byBytes: 11_000)
        #expect(cluster.snapshotsBegun == 1)
        return cluster
    }

    private func grow(_ cluster: ReplicaCluster, byBytes count: Int) {
        var spec = TaskSpec(handler: "h")
        spec.payload = [UInt8](repeating: 0x31, count: count)
        _ = cluster.run(.submit(spec), through: "a")
        cluster.run(milliseconds: 10)
    }

    @Test func aLogThatGrowsFastDoesNotLetItsSnapshotRest() {
        let cluster = growing()
        #expect(!cluster["a"].isSnapshotPressing)
        grow(cluster, byBytes: 9_000)
        #expect(!cluster["a"].isSnapshotPressing)
        grow(cluster, byBytes: 2_000)
        #expect(cluster["a"].isSnapshotPressing)
        cluster.finishSnapshot()
        cluster.run(milliseconds: 10)
        #expect(!cluster["a"].isSnapshotPressing)
        // Too long already when it begins, before the time of rest is over.
        grow(cluster, byBytes: 41_000)
        #expect(cluster.snapshotsBegun == 2)
        #expect(cluster["a"].isSnapshotPressing)
    }

    @Test func aLargeStateIsNotWrittenAgainForLessLogThanItHasBytes() {
        let cluster = growing()
        cluster.finishSnapshot(bytes: 60_000)
        grow(cluster, byBytes: 55_000)
        #expect(cluster.snapshotsBegun == 1)
        grow(cluster, byBytes: 10_000)
        #expect(cluster.snapshotsBegun == 2)
    }

    /// The bound for a flood is the state's size, if that is larger.
    @Test func aLogThatIsShorterThanTheStateLetsItsSnapshotRest() {
        let cluster = growing()
        cluster.finishSnapshot(bytes: 60_000)
        grow(cluster, byBytes: 35_000)
        cluster.run(milliseconds: 11_000)
        #expect(cluster.snapshotsBegun == 2)
        grow(cluster, byBytes: 7_000)
        #expect(!cluster["a"].isSnapshotPressing)
        grow(cluster, byBytes: 5_000)
        #expect(cluster["a"].isSnapshotPressing)
    }

    @Test func theNextOneComesTenSecondsAfterTheLastHasEnded() {
        let cluster = growing()
        cluster.run(milliseconds: 11_000)
        grow(cluster, byBytes: 11_000)
        cluster.finishSnapshot()
        cluster.run(milliseconds: 9_000)
        #expect(cluster.snapshotsBegun == 1)
        cluster.run(milliseconds: 1_100)
        #expect(cluster.snapshotsBegun == 2)
    }

    @Test func aFileThatIsLostIsWrittenAnewAtOnce() {
        let cluster = ReplicaCluster.founded(["a"])
        cluster.step("a", .takeSnapshot(atLeast: cluster["a"].applied))
        cluster.run(milliseconds: 10)
        cluster.areSnapshotsSlow = true
        cluster.step("a", .snapshotDamaged(cluster["a"].raft.snapshotMark))
        cluster.run(milliseconds: 10)
        #expect(cluster["a"].isSnapshotPressing && cluster.snapshotsBegun == 2)
        cluster.finishSnapshot()
        cluster.run(milliseconds: 10)
        #expect(!cluster["a"].isSnapshotPressing)
    }
}
