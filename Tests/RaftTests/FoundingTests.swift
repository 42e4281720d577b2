import Testing

@testable import Raft

/// A cluster comes into being once, and only with everybody's consent.
@Suite struct FoundingTests {
    private static let fresh = Recovered(voters: [])

    private func freshCluster(_ ids: [NodeID]) -> Cluster {
        Cluster(ids.map { ($0, Self.fresh) })
    }

    @Test func aFreshNodeStandsInNoElection() {
        let cluster = freshCluster(["n1", "n2", "n3"])
        cluster.run(for: 5_000_000_000)
        #expect(cluster.leader == nil)
        #expect(cluster.ids.allSatisfy { cluster[$0].raft.term == 0 })
    }

    @Test func everyVoteFounds() throws {
        let cluster = freshCluster(["n1", "n2", "n3"])
        cluster.turn("n1", [.found(["n3", "n1", "n2"])])
        cluster.settle()
        #expect(cluster.leaders == ["n1"])
        cluster.propose("a", on: "n1")
        cluster.run(for: 100_000_000)
        for id in cluster.ids {
            #expect(
                cluster[id].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
            #expect(cluster[id].appliedCommands == ["a"])
        }
        // From now on a majority is enough.
        cluster.crash("n1")
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.oracle.faults == [])
    }

    @Test func aloneItFoundsAtOnce() {
        let cluster = freshCluster(["n1"])
        cluster.turn("n1", [.found(["n1"])])
        cluster.settle()
        #expect(cluster.leaders == ["n1"] && cluster["n1"].raft.commitIndex == 1)
    }

    @Test func aMajorityIsNotEnough() {
        let cluster = freshCluster(["n1", "n2", "n3"])
        cluster.crash("n3")
        for _ in 0..<5 {
            cluster.turn("n1", [.found(["n1", "n2", "n3"])])
            cluster.run(for: 1_000_000_000)
        }
        #expect(cluster.leader == nil)
        cluster.restart("n3")
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.settle()
        #expect(cluster.leaders == ["n1"])
    }

    /// The founder's disk is lost, and a node that has never heard of the cluster is there: together they would be
    /// a majority of the names.
    @Test func aWipedFounderDoesNotFoundAgain() {
        let again = NodeID("n1", directory: 2)
        let cluster = freshCluster(["n1", "n2", "n3", again])
        cluster.passes = { $0.to != "n3" || $0.body.text.hasPrefix("vote?") }
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.settle()
        cluster.propose("acknowledged", on: "n1")
        cluster.settle()
        #expect(cluster["n1"].appliedCommands == ["acknowledged"])
        cluster.crash("n1")
        cluster.passes = { _ in true }
        for _ in 0..<5 {
            cluster.turn(again, [.found([again, "n2", "n3"])])
            cluster.run(for: 1_000_000_000)
        }
        #expect(cluster.leader != again)
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.oracle.faults == [])
    }

    /// It votes in the founding, and loses its disk before it has heard the result.
    @Test func avoteOfALostDirectoryIsNotRepeated() {
        let again = NodeID("n3", directory: 2)
        let cluster = freshCluster(["n1", "n2", "n3", again])
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.settle()
        cluster.crash("n3")
        cluster.crash("n2")
        cluster.run(for: 5_000_000_000)
        // One of three is left, and somebody else under an old name.
        #expect(cluster.leader == nil)
        #expect(cluster[again].raft.commitIndex == 0)
    }

    @Test func aMemberDoesNotFound() {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.turn("n1", [.found(["n1", "n2"])])
        #expect(cluster["n1"].raft.role == .follower && cluster["n1"].raft.term == 0)
    }

    @Test func aFounderThatCrashesTriesAgain() {
        let cluster = freshCluster(["n1", "n2"])
        cluster.turn("n1", [.found(["n1", "n2"])])
        cluster.crash("n1", syncedBatches: 1)
        cluster.settle()
        cluster.restart("n1")
        cluster.turn("n1", [.found(["n1", "n2"])])
        cluster.settle()
        #expect(cluster.leaders == ["n1"])
        #expect(cluster["n1"].raft.term == 2)
        #expect(cluster.oracle.faults == [])
    }

    /// A founder's name with an empty disk: whoever hears a leader does not listen to it, nor does the leader.
    @Test func aWipedFounderDeposesNobody() throws {
        let again = NodeID("n1", directory: 2)
        let cluster = freshCluster(["n1", "n2", "n3", again])
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.run(for: 100_000_000)
        let term = cluster["n1"].raft.term
        for _ in 0..<5 {
            cluster.turn(again, [.found([again, "n2", "n3"])])
            cluster.run(for: 1_000_000_000)
        }
        #expect(cluster.leaders == ["n1"])
        #expect(cluster.ids.filter { $0 != again }.allSatisfy { cluster[$0].raft.term == term })
    }

    /// It has founded and lost the first entry in a crash, hears nobody, and founds on.
    @Test func aFounderThatHasForgottenCostsOneElectionAndNoMore() throws {
        let cluster = freshCluster(["n1", "n2", "n3"])
        cluster["n1"].isDiskHeld = true
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.sync("n1", count: 1)
        cluster.settle()
        #expect(cluster["n1"].raft.commitIndex == 1)
        cluster.crash("n1")
        cluster["n1"].isDiskHeld = false
        #expect(cluster.run { cluster.leader != nil })
        let leader = try #require(cluster.leader)
        let term = cluster[leader].raft.term
        cluster.passes = { $0.to != "n1" }
        cluster.restart("n1")
        #expect(!cluster["n1"].raft.configuration.isFounded)
        for _ in 0..<5 {
            cluster.turn("n1", [.found(["n1", "n2", "n3"])])
            cluster.run(for: 1_000_000_000)
        }
        #expect(cluster.leaders == [leader] && cluster[leader].raft.term == term)
        // Its term is ahead now: when it is heard again the leader has to stand once more.
        cluster.passes = { _ in true }
        #expect(cluster.run { cluster["n1"].raft.configuration.isFounded })
        cluster.run(for: 2_000_000_000)
        let later = cluster["n2"].raft.term
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.run(for: 5_000_000_000)
        #expect(cluster.leader != nil)
        #expect(cluster.ids.allSatisfy { cluster[$0].raft.term == later })
        #expect(cluster.oracle.faults == [])
    }

    // MARK: With a state

    private static let restored = Recovered(
        hardState: HardState(term: 90),
        snapshot: SnapshotMark(index: 7, term: 90, configuration: Configuration(voters: [])),
        entries: [])

    /// `id` starts with the state of a backup.
    private func cluster(restoring id: NodeID, beside others: [NodeID]) -> Cluster {
        let cluster = Cluster([(id, Self.restored)] + others.map { ($0, Self.fresh) })
        let bytes = [UInt8](repeating: 5, count: 4096)
        cluster[id].disk.put(TestDisk.File(mark: Self.restored.snapshot, bytes: bytes))
        cluster.crash(id)
        cluster.restart(id)
        return cluster
    }

    @Test func aRestoredFounderBringsItsState() {
        let cluster = cluster(restoring: "n1", beside: ["n2", "n3"])
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.run(for: 1_000_000_000)
        #expect(cluster.leaders == ["n1"])
        #expect(cluster["n1"].raft.term > 90)
        cluster.propose("a", on: "n1")
        cluster.run(for: 1_000_000_000)
        for id in cluster.ids {
            #expect(cluster[id].appliedCommands == ["…7", "a"])
            #expect(cluster[id].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
        }
        cluster.crash("n1")
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.oracle.faults == [])
    }

    /// Its log is longer, and of a later term, than that of the cluster that lives.
    @Test func aRestoredFounderDoesNotFoundOverALivingCluster() {
        let again = NodeID("n1", directory: 2)
        let cluster = cluster(restoring: again, beside: ["n1", "n2", "n3"])
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.settle()
        cluster.propose("acknowledged", on: "n1")
        cluster.run(for: 100_000_000)
        cluster.crash("n1")
        for _ in 0..<5 {
            cluster.turn(again, [.found([again, "n2", "n3"])])
            cluster.run(for: 1_000_000_000)
            #expect(cluster.leader != again)
        }
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster["n2"].appliedCommands == ["acknowledged"])
        #expect(cluster.oracle.faults == [])
    }

    /// Somebody adds it to a cluster that has other entries at the same indexes.
    @Test func anotherClustersEntriesDoNotContinueARestoredState() {
        let cluster = cluster(restoring: "r", beside: ["n1", "n2"])
        cluster.turn("n1", [.found(["n1", "n2"])])
        cluster.settle()
        for number in 0..<12 { cluster.propose("\(number)", on: "n1") }
        cluster.run(for: 100_000_000)
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "r"])])
        cluster.run(for: 5_000_000_000)
        #expect(cluster["r"].appliedCommands == ["…7"])
        #expect(cluster["r"].raft.lastIndex == 7)
        #expect(cluster.oracle.faults == [])
    }

    /// It has the state from the founder, and the founder has not heard so: what it is asked then stands on an entry
    /// before its mark, which a node that has a state and no configuration can't take.
    @Test func whoHasTheStateAndIsAskedForLessIsHeard() {
        let cluster = cluster(restoring: "n1", beside: ["n2", "n3"])
        cluster.passes = { !($0.from == "n2" && $0.body.text.contains("installed")) }
        cluster.turn("n1", [.found(["n1", "n2", "n3"])])
        cluster.settle()
        cluster.crash("n2", syncedBatches: .max)
        #expect(cluster["n2"].disk.image.snapshot == Self.restored.snapshot)
        #expect(cluster["n2"].disk.image.entries.isEmpty)
        cluster.passes = { _ in true }
        cluster.restart("n2")
        cluster.propose("a", on: "n1")
        #expect(cluster.run { cluster["n2"].appliedCommands == ["…7", "a"] })
        #expect(cluster.leaders == ["n1"], "nobody had to be elected for that")
        #expect(cluster.oracle.faults == [])
    }
}
