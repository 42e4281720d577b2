import Raft
import Scheduler
import Testing

@testable import Node

/// What `/readyz` tells of a member.
@Suite struct ReadinessTests {
    private static let three = ["a", "b", "c"]

    @Test func aNodeIsReadyAlsoWhileSomethingIsToBeApplied() {
        let cluster = ReplicaCluster.founded(["a"])
        var sawBacklog = false
        cluster.step("a", .request(1, .submit(TaskSpec(handler: "h"))))
        cluster.run {
            #expect(cluster["a"].isReady)
            sawBacklog = sawBacklog || cluster["a"].hasBacklog
            return sawBacklog && !cluster["a"].hasBacklog
        }
    }

    @Test func whoHasHeardOfNoLeaderHasNotCaughtUp() {
        let cluster = ReplicaCluster()
        cluster.start("a", founders: Self.three)
        cluster.start("b", founders: Self.three)
        cluster.run(milliseconds: 1_000)
        #expect(!cluster["a"].hasCaughtUp)
        cluster.start("c", founders: Self.three)
        cluster.run { cluster["a"].isReady }
        #expect(cluster["a"].hasCaughtUp)
    }

    @Test func aNodeThatFellFarBehindIsReadyOnceItHasEverything() throws {
        let cluster = ReplicaCluster.founded(Self.three)
        let leader = try #require(cluster.leader)
        let follower = try #require(Self.three.first { $0 != leader.id.name })
        func announce(_ commit: Index) {
            let raft = leader.raft
            let append = Message.Append(
                previousIndex: raft.lastIndex, previousTerm: raft.term, commit: commit, entries: [],
                round: 0)
            let message = Message(
                from: leader.id, to: cluster[follower].id, term: raft.term, body: .append(append))
            cluster.step(follower, .peer(from: leader.id, .raft(message)))
            cluster.run(milliseconds: 1)
        }
        announce(leader.raft.lastIndex + 1_000)
        #expect(cluster[follower].isReady)
        announce(leader.raft.lastIndex + 1_001)
        #expect(!cluster[follower].isReady)
        for _ in 0..<1_001 {
            #expect(!cluster[follower].isReady)
            _ = cluster.run(.submit(TaskSpec(handler: "h")), through: leader.id.name)
        }
        cluster.run { cluster[follower].isReady }
    }
}
