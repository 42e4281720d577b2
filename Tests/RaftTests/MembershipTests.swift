import Testing

@testable import Raft

/// The members change while the cluster serves (section 6; dissertation, chapter 4).
@Suite struct MembershipTests {
    private let settings = Settings()

    private func cluster(_ voters: [NodeID], spare: [NodeID]) -> Cluster {
        let members = Recovered(voters: voters)
        let fresh = Recovered(voters: [])
        return Cluster(voters.map { ($0, members) } + spare.map { ($0, fresh) })
    }

    private func change(_ cluster: Cluster, to voters: [NodeID]) -> Bool {
        cluster.run {
            guard let leader = cluster.leader else { return false }
            if cluster[leader].raft.configuration == Configuration(voters: voters),
                !cluster[leader].raft.isChangingMembership
            {
                return true
            }
            cluster.turn(leader, [.changeMembership(voters: voters)])
            return false
        }
    }

    @Test func growsByLearnersAndAJointConfiguration() {
        let cluster = cluster(["n1", "n2", "n3"], spare: ["n4"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "n3", "n4"])])
        cluster.settle()
        var steps: [Configuration] = []
        let raft = cluster["n1"].raft
        for entry in raft.entries(from: 1, through: raft.lastIndex) {
            if case .configuration(let step) = entry.payload { steps.append(step) }
        }
        #expect(
            steps == [
                Configuration(voters: ["n1", "n2", "n3"], learners: ["n4"]),
                Configuration(voters: ["n1", "n2", "n3", "n4"], outgoing: ["n1", "n2", "n3"]),
                Configuration(voters: ["n1", "n2", "n3", "n4"]),
            ])
        #expect(!cluster["n1"].raft.isChangingMembership)
        #expect(cluster["n4"].appliedCommands == ["a"])
        #expect(cluster.oracle.faults == [])
    }

    @Test func replacesEveryNodeUntilNoOriginalIsLeft() {
        let cluster = cluster(["n1", "n2", "n3"], spare: ["n4", "n5", "n6"])
        cluster.elect("n1")
        cluster.propose("first", on: "n1")
        cluster.settle()
        #expect(change(cluster, to: ["n2", "n3", "n4"]))
        #expect(change(cluster, to: ["n3", "n4", "n5"]))
        #expect(change(cluster, to: ["n4", "n5", "n6"]))
        for gone in ["n1", "n2", "n3"] as [NodeID] { cluster.crash(gone) }
        #expect(cluster.run { cluster.leader.map { cluster[$0].raft.acceptsProposals } ?? false })
        if let leader = cluster.leader { cluster.propose("last", on: leader) }
        #expect(cluster.run { cluster["n6"].appliedCommands == ["first", "last"] })
        #expect(cluster.oracle.faults == [])
    }

    /// Whoever looks at these before taking the next step loses no majority: a node that died while the configuration
    /// was joint, counted as gone for good, left it joint for ever.
    @Test func settledVotersAreThoseOfAChangeThatIsOver() {
        let cluster = cluster(["n1", "n2", "n3"], spare: ["n4"])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.settle()
        let target: [NodeID] = ["n2", "n3", "n4"]
        var seen: [[NodeID]] = []
        let isDone = cluster.run {
            guard let leader = cluster.leader else { return false }
            let raft = cluster[leader].raft
            if seen.last != raft.settledVoters { seen.append(raft.settledVoters) }
            if raft.settledVoters == target { return true }
            cluster.turn(leader, [.changeMembership(voters: target)])
            return false
        }
        #expect(isDone)
        #expect(seen.first == ["n1", "n2", "n3"])
        cluster.crash("n2")
        #expect(cluster.run { cluster.leader.map { cluster[$0].raft.acceptsProposals } ?? false })
        if let leader = cluster.leader { cluster.propose("b", on: leader) }
        #expect(cluster.run { cluster["n4"].appliedCommands == ["a", "b"] })
        #expect(cluster.oracle.faults == [])
    }

    @Test func ofAJointConfigurationThoseInBothHalvesAreSettled() {
        let joint = Configuration(voters: ["n2", "n3", "n4"], outgoing: ["n1", "n2", "n3"])
        func settled(_ commit: Index, _ entries: [Configuration]) -> [NodeID] {
            let recovered = Recovered(
                hardState: HardState(term: 1),
                snapshot: SnapshotMark(index: commit, term: 1, configuration: joint),
                entries: entries.enumerated().map { offset, next in
                    Entry(
                        index: commit + 1 + UInt64(offset), term: 1, payload: .configuration(next))
                })
            return Raft(id: "n2", settings: settings, recovered: recovered, now: 0, seed: 1)
                .settledVoters
        }
        #expect(settled(5, []) == ["n2", "n3"])
        // The end of the change is appended, and may be truncated again.
        #expect(settled(5, [Configuration(voters: ["n2", "n3", "n4"])]) == ["n2", "n3"])
    }

    @Test func shrinksToOne() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        #expect(change(cluster, to: ["n1"]))
        for gone in ["n2", "n3"] as [NodeID] { cluster.crash(gone) }
        cluster.propose("alone", on: "n1")
        cluster.settle()
        #expect(cluster["n1"].appliedCommands == ["alone"])
        #expect(cluster.oracle.faults == [])
    }

    /// It manages the change without counting itself, hands over, and rests.
    @Test func theLeaderLeaves() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        cluster.turn("n1", [.changeMembership(voters: ["n2", "n3"])])
        let start = cluster.now
        cluster.settle()
        #expect(cluster.leader.map { $0 != "n1" } ?? false, "handed over, not waited for")
        #expect(cluster.now == start)
        cluster.run(for: settings.heartbeatNanoseconds)
        #expect(cluster["n1"].raft.role == .follower)
        let term = cluster["n2"].raft.term
        cluster.run(for: 5_000_000_000)
        #expect(cluster["n2"].raft.term == term, "nobody is disturbed")
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n2", "n3"]))
        #expect(cluster.oracle.faults == [])
    }

    /// Removed while it was away, it does not know and wants to be elected.
    @Test func aRemovedNodeCannotDisturb() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        cluster.crash("n3")
        #expect(change(cluster, to: ["n1", "n2"]))
        let term = cluster["n1"].raft.term
        cluster.restart("n3")
        cluster.run(for: 10_000_000_000)
        #expect(cluster["n3"].raft.configuration.voters.count == 3)
        #expect(cluster["n1"].raft.term == term && cluster.leaders == ["n1"])
        #expect(cluster.oracle.faults == [])
    }

    /// n1 and n2 leave, and have that in their logs; n3, who stays, does not. It can't be elected, being behind, so one
    /// of those who leave has to finish the change.
    @Test func whoLeavesMayHaveToLeadOnceMore() {
        let next = Entry(
            index: 3, term: 1, payload: .configuration(Configuration(voters: ["n3"])))
        let joint = Configuration(voters: ["n3"], outgoing: ["n1", "n2", "n3"])
        var behind = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        behind.entries.append(Entry(index: 2, term: 1, payload: .configuration(joint)))
        var ahead = behind
        ahead.entries.append(next)
        let cluster = Cluster([("n1", ahead), ("n2", ahead), ("n3", behind)])
        #expect(cluster.run { cluster.leader == "n3" })
        #expect(cluster["n3"].raft.configuration == Configuration(voters: ["n3"]))
        #expect(cluster.oracle.faults == [])
    }

    @Test func aLearnerThatDoesNotAnswerIsNotPromoted() {
        let cluster = cluster(["n1", "n2", "n3"], spare: ["n4"])
        cluster.crash("n4")
        cluster.elect("n1")
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "n3", "n4"])])
        cluster.run(for: 5_000_000_000)
        #expect(
            cluster["n1"].raft.configuration
                == Configuration(voters: ["n1", "n2", "n3"], learners: ["n4"]))
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "n3"])])
        cluster.settle()
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
        #expect(!cluster["n1"].raft.isChangingMembership)
        #expect(cluster.oracle.faults == [])
    }

    /// n3 is dead, and n2 is taken out by mistake. With n1 and n3 for a majority nothing would ever be decided again, not
    /// even that n2 comes back.
    @Test func nobodyLeavesWhoseVoteIsNeeded() throws {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        cluster.propose("a", on: "n1")
        cluster.run(for: 1_000_000_000)
        cluster.crash("n3")
        cluster.run(for: 2 * settings.electionNanoseconds)
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n3"])])
        cluster.run(for: 2_000_000_000)
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
        #expect(cluster["n1"].raft.isChangingMembership)
        // A new leader has not heard n3 either, however long ago its own election was.
        cluster.elect("n2")
        cluster.turn("n2", [.changeMembership(voters: ["n1", "n3"])])
        cluster.run(for: 2_000_000_000)
        #expect(cluster["n2"].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
        try #require(cluster["n2"].raft.acceptsProposals)
        cluster.propose("b", on: "n2")
        cluster.run(for: settings.heartbeatNanoseconds)
        #expect(cluster["n1"].appliedCommands == ["a", "b"])
        // What was meant.
        cluster.turn("n2", [.changeMembership(voters: ["n1", "n2"])])
        cluster.settle()
        #expect(cluster["n2"].raft.configuration == Configuration(voters: ["n1", "n2"]))
        #expect(!cluster["n2"].raft.isChangingMembership)
        #expect(cluster.oracle.faults == [])
    }

    /// The connection is known to be broken before the silence is long enough.
    @Test func aBrokenConnectionIsSilenceEnough() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        cluster.run(for: 1_000_000_000)
        cluster.crash("n3")
        cluster.turn("n1", [.peerLost("n3"), .changeMembership(voters: ["n1", "n3"])])
        cluster.run(for: 1_000_000_000)
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n2", "n3"]))
        cluster.restart("n3")
        #expect(cluster.run { !cluster["n1"].raft.isChangingMembership })
        #expect(cluster.oracle.faults == [])
    }

    /// It may hold the end of the log, and can't lead: nobody else could be elected by it.
    @Test func oneThatLacksItsStateIsNotEnough() throws {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        for number in 1...5 { cluster.propose("c\(number)", on: "n1") }
        cluster.run(for: 200_000_000)
        cluster.takeSnapshot(on: "n3")
        cluster.settle()
        cluster.crash("n3", syncedBatches: .max)
        cluster.run(for: 2 * settings.electionNanoseconds)
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n3"])])
        cluster.damage("n3", losesState: true)
        cluster.isTracing = true
        #expect(cluster.run { !cluster["n1"].raft.isChangingMembership })
        let story = cluster.takeTrace().split(separator: "\n")
        let restored = try #require(story.firstIndex(of: "n3 restores 6"))
        let joint = try #require(story.firstIndex { $0.contains("[7/1]") })
        #expect(restored < joint)
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n3"]))
        #expect(cluster.oracle.faults == [])
    }

    @Test func whoseVoteIsNeededLeavesWhenTheOthersAreBack() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        cluster.crash("n3")
        cluster.run(for: 2 * settings.electionNanoseconds)
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n3"])])
        cluster.run(for: 1_000_000_000)
        cluster.restart("n3")
        #expect(cluster.run { !cluster["n1"].raft.isChangingMembership })
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n3"]))
        #expect(cluster.oracle.faults == [])
    }

    @Test func nobodyWaitsForOtherNewcomersButWhoLeavesDoes() {
        let cluster = cluster(["n1", "n2", "n3"], spare: ["n4", "n5"])
        cluster.crash("n5")
        cluster.elect("n1")
        cluster.turn("n1", [.changeMembership(voters: ["n1", "n2", "n4", "n5"])])
        cluster.run(for: 1_000_000_000)
        #expect(
            cluster["n1"].raft.configuration
                == Configuration(voters: ["n1", "n2", "n3", "n4"], learners: ["n5"]))
        cluster.restart("n5")
        cluster.run(for: 1_000_000_000)
        #expect(
            cluster["n1"].raft.configuration
                == Configuration(voters: ["n1", "n2", "n4", "n5"]))
        #expect(cluster.oracle.faults == [])
    }

    /// The bug of 2015: before an entry of its term is committed a leader may not know of another change.
    @Test func nothingChangesBeforeTheFirstCommitOfTheTerm() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.turn(.changeMembership(voters: ["n1", "n2"]))
        #expect(bench.raft.configuration.voters.count == 3)
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.configuration.isJoint)
    }

    @Test func oneChangeAtATime() throws {
        var bench = Bench(terms: [1])
        try bench.lead()
        _ = bench.acknowledge(from: "n2")
        _ = bench.turn(.changeMembership(voters: ["n1", "n2"]))
        let joint = bench.raft.configuration
        let last = bench.raft.lastIndex
        _ = bench.turn(.changeMembership(voters: ["n1", "n3"]))
        #expect(bench.raft.configuration == joint && bench.raft.lastIndex == last)
        // Committed by both halves, it is left; and only when that is committed the next begins.
        _ = bench.sync()
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.configuration == Configuration(voters: ["n1", "n2"]))
        _ = bench.sync()
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.configuration.learners == ["n3"])
    }

    /// It has not heard what the change was for; the joint configuration has to be left all the same.
    @Test func aNewLeaderLeavesTheJointConfiguration() throws {
        let joint = Configuration(voters: ["n1", "n2", "n4"], outgoing: ["n1", "n2", "n3"])
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        image.entries.append(Entry(index: 2, term: 1, payload: .configuration(joint)))
        let fresh = Recovered(voters: [])
        let cluster = Cluster([("n1", image), ("n2", image), ("n3", image), ("n4", fresh)])
        cluster.elect("n1")
        cluster.settle()
        #expect(cluster["n1"].raft.configuration == Configuration(voters: ["n1", "n2", "n4"]))
        #expect(cluster["n4"].raft.configuration == Configuration(voters: ["n1", "n2", "n4"]))
        #expect(cluster.oracle.faults == [])
    }

    @Test func membersThatLeaveHearThatTheyHaveLeft() {
        let cluster = cluster(["n1", "n2", "n3"], spare: [])
        cluster.elect("n1")
        #expect(change(cluster, to: ["n1", "n2"]))
        cluster.settle()
        #expect(cluster["n3"].raft.configuration == Configuration(voters: ["n1", "n2"]))
        #expect(cluster["n3"].raft.commitIndex == cluster["n1"].raft.commitIndex)
        #expect(cluster["n1"].raft.peers.map(\.id) == ["n2"])
    }
}
