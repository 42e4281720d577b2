import Raft
import Scheduler
import Testing

@testable import Node

/// When a snapshot is not to be written at leisure.
@Suite struct SnapshotHasteTests {
    @Test func whoAsksForASnapshotIsNotKeptWaiting() {
        let cluster = ReplicaCluster.founded(["a"])
        #expect(!cluster["a"].isSnapshotPressing)
        let index = cluster["a"].applied
        cluster.step("a", .takeSnapshot(atLeast: index))
        #expect(cluster["a"].isSnapshotPressing)
        cluster.run { cluster["a"].raft.snapshotMark.index >= index }
        #expect(!cluster["a"].isSnapshotPressing)
    }

    @Test func aFileThatIsLostIsWrittenAnewAtOnce() {
        let cluster = ReplicaCluster.founded(["a"])
        cluster.step("a", .takeSnapshot(atLeast: cluster["a"].applied))
        cluster.run { !cluster["a"].isSnapshotPressing }
        cluster.step("a", .snapshotDamaged(cluster["a"].raft.snapshotMark))
        #expect(cluster["a"].isSnapshotPressing)
        cluster.run { !cluster["a"].isSnapshotPressing }
    }
}
