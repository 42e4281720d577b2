import Raft
import Scheduler
import Testing

@testable import Node

/// Founding, joining, leaving: what replicas do by themselves.
@Suite struct MembershipTests {
    private static let three = ["a", "b", "c"]

    private func founded(_ names: [String] = three) -> ReplicaCluster {
        let cluster = ReplicaCluster()
        for name in names { cluster.start(name, founders: names) }
        cluster.run { Self.isSettled(cluster, names) }
        return cluster
    }

    /// These are the members, by the log and by the state, and all of them know it.
    private static func isSettled(_ cluster: ReplicaCluster, _ names: [String]) -> Bool {
        names.allSatisfy { name in
            let replica = cluster[name]
            return replica.scheduler.members.map(\.name) == names
                && replica.scheduler.nodes.map(\.name) == names
                && replica.raft.configuration.voters.map(\.name) == names
                && !replica.raft.isChangingMembership && replica.isReady
                && replica.standing == .member
        }
    }

    private func member(_ name: String, directory: UInt64 = 1) -> NodeRecord {
        NodeRecord(
            name: name, directory: directory, peer: "\(name):7101", api: "\(name):7201",
            stateVersion: 2)
    }

    @Test func aClusterIsFoundedWhenAllAreThere() {
        let cluster = ReplicaCluster()
        cluster.start("b", founders: Self.three)
        cluster.start("a", founders: Self.three)
        cluster.run(milliseconds: 5_000)
        #expect(cluster.leader == nil)
        #expect(cluster["a"].standing == .founding(missing: ["c"]))
        #expect(!cluster["a"].isReady)
        cluster.start("c", founders: Self.three)
        cluster.run { Self.isSettled(cluster, Self.three) }
        #expect(cluster.leader?.scheduler.stateVersion == 2)
        let voters = cluster["c"].raft.configuration.voters
        #expect(voters == Self.three.map { NodeID($0, directory: 1) })
        #expect(cluster["b"].scheduler.node("c")?.peer == "c:7101")
    }

    @Test func oneNodeFoundsItself() {
        let cluster = founded(["a"])
        #expect(cluster["a"].standing == .member)
    }

    @Test func aSettledClusterIsQuiet() {
        let cluster = founded()
        cluster.run(milliseconds: 1_000)
        let index = cluster["a"].raft.lastIndex
        cluster.run(milliseconds: 5_000)
        #expect(cluster["a"].raft.lastIndex == index)
    }

    /// One that was started anew, first by name and with everybody in sight, is no founder but a stranger.
    @Test func aWipedFounderIsAStranger() {
        let cluster = founded()
        cluster.stop("a")
        cluster.run { cluster.leader != nil }
        let voters = cluster["b"].raft.configuration
        let term = cluster["b"].raft.term
        cluster.start("a", directory: 2, founders: Self.three)
        cluster.run(milliseconds: 5_000)
        #expect(cluster["a"].standing == .stranger(isNameTaken: true))
        #expect(!cluster["a"].isReady)
        #expect(cluster["b"].raft.configuration == voters)
        #expect(cluster["b"].raft.term == term, "it disturbs nobody")
        // Under its new directory it is somebody else.
        let refused = cluster.run(.addMember(member("a", directory: 2)), through: "b")
        #expect(refused == .rejected(.memberExists))
        let removed = cluster.run(.removeMember(name: "a", directory: 1), through: "b")
        #expect(removed == .done)
        let added = cluster.run(.addMember(member("a", directory: 2)), through: "c")
        #expect(added == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
        #expect(cluster["b"].raft.configuration.voters[0] == NodeID("a", directory: 2))
    }

    /// Nothing of the order in which the two directories were made, or of the clocks by then, can be seen in their
    /// numbers.
    @Test(arguments: [(9, 2), (2, 9)] as [(UInt64, UInt64)])
    func aReplacedNodeTakesPart(directories: (old: UInt64, new: UInt64)) {
        let cluster = ReplicaCluster()
        for name in Self.three {
            cluster.start(name, directory: directories.old, founders: Self.three)
        }
        cluster.run { Self.isSettled(cluster, Self.three) }
        cluster.run { cluster["b"].scheduler.worker("c") != nil }
        cluster.stop("c")
        cluster.run { cluster.leader?.raft.acceptsProposals ?? false }
        let removed = cluster.run(
            .removeMember(name: "c", directory: directories.old), through: "b")
        #expect(removed == .done)
        cluster.start("c", directory: directories.new)
        let added = cluster.run(
            .addMember(member("c", directory: directories.new)), through: "b")
        #expect(added == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
        let incarnation = cluster["c"].incarnation
        cluster.run { cluster["b"].scheduler.worker("c")?.spec.incarnation == incarnation }
        #expect(cluster["b"].scheduler.worker("c")?.state == .live)
        let outcome = cluster.run(
            .removeMember(name: "a", directory: directories.old), through: "c")
        #expect(outcome == .done)
        #expect(cluster.refused == [])
    }

    /// A cluster whose node c has lost its disk while its worker was running something, and is a member again. Also the
    /// former c's incarnation, and when it fell silent.
    private func replacedAtWork() -> (cluster: ReplicaCluster, former: UInt64, silentAt: UInt64) {
        let cluster = founded()
        cluster.run { Self.three.allSatisfy { cluster["b"].scheduler.worker($0) != nil } }
        for _ in 0..<3 { _ = cluster.run(.submit(TaskSpec(handler: "h")), through: "b") }
        cluster.run { cluster["b"].scheduler.worker("c")?.running == 1 }
        let former = cluster["c"].incarnation
        cluster.stop("c")
        let silentAt = cluster.now
        let removed = cluster.run(.removeMember(name: "c", directory: 1), through: "b")
        #expect(removed == .done)
        cluster.start("c", directory: 2)
        let added = cluster.run(.addMember(member("c", directory: 2)), through: "b")
        #expect(added == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
        #expect(cluster["b"].scheduler.worker("c")?.spec.incarnation == former)
        return (cluster, former, silentAt)
    }

    /// The former node may still be at work. What it runs is given to others only when it has surely stopped, and then
    /// in spite of the beats that its successor sends under the same name.
    @Test func whatAReplacedNodeRunsIsLostInItsTimeAndNotBefore() {
        let (cluster, former, silentAt) = replacedAtWork()
        cluster.run { cluster["b"].scheduler.worker("c")?.spec.incarnation != former }
        let timeout = ReplicaSettings().workerTimeoutNanoseconds
        // Its last beat came at most one interval before it fell silent.
        #expect(cluster.now >= silentAt + timeout - ReplicaSettings().beatNanoseconds)
        #expect(cluster.now < silentAt + 3 * timeout)
        #expect(cluster.refused == [])
    }

    /// It is told to stop while it still waits for its predecessor's work to be lost.
    @Test func aNewcomerWithoutAWorkerIsDrainedAtOnce() {
        let (cluster, _, _) = replacedAtWork()
        cluster.step("c", .drain)
        #expect(cluster["c"].isDrained)
        cluster.run(milliseconds: 5_000)
        #expect(cluster["c"].isDrained)
        #expect(cluster.refused == [])
    }

    @Test func aNodeJoinsByItselfAndIsNotTakenBackWhenRemoved() {
        let cluster = founded()
        cluster.start("d", joins: true)
        cluster.run { Self.isSettled(cluster, ["a", "b", "c", "d"]) }
        let removed = cluster.run(.removeMember(name: "d", directory: 1), through: "d")
        #expect(removed == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
        cluster.run(milliseconds: 10_000)
        #expect(Self.isSettled(cluster, Self.three))
        #expect(cluster["d"].standing == .removed)
        #expect(!cluster["d"].isReady)
    }

    /// What it reads first is older than its membership, and there is more than one turn brings.
    @Test func aNewcomerIsNotToldThatItWasRemoved() {
        let cluster = founded()
        var large = TaskSpec(handler: "h")
        large.payload = [UInt8](repeating: 0x31, count: 64 << 10)
        for _ in 0..<20 {
            let outcome = cluster.run(.submit(large), through: "a")
            #expect(outcome != nil)
        }
        cluster.start("d", joins: true)
        var standings: [Standing] = []
        cluster.run {
            let standing = cluster["d"].standing
            if standings.last != standing { standings.append(standing) }
            return standing == .member && cluster["d"].isReady
        }
        #expect(standings.contains(.catchingUp))
        #expect(!standings.contains(.removed))
    }

    @Test func withoutAWordNobodyIsTakenIn() {
        let cluster = founded()
        cluster.start("d", founders: ["a", "b", "c", "d"])
        cluster.run(milliseconds: 5_000)
        #expect(cluster["d"].standing == .stranger(isNameTaken: false))
        #expect(Self.isSettled(cluster, Self.three))
    }

    @Test func theLeaderCanBeRemoved() throws {
        let cluster = founded()
        let leader = try #require(cluster.leader).id.name
        let rest = Self.three.filter { $0 != leader }
        let removed = cluster.run(.removeMember(name: leader, directory: 1), through: rest[0])
        #expect(removed == .done)
        cluster.run { Self.isSettled(cluster, rest) }
        cluster.run { cluster[leader].standing == .removed }
    }

    @Test func everyNodeCanBeReplaced() {
        let cluster = founded()
        var names = Self.three
        for (old, new) in [("a", "d"), ("b", "e"), ("c", "f")] {
            cluster.start(new, joins: true)
            names = (names + [new]).sorted()
            cluster.run { Self.isSettled(cluster, names) }
            names.removeAll { $0 == old }
            let removed = cluster.run(.removeMember(name: old, directory: 1), through: new)
            #expect(removed == .done)
            cluster.run { Self.isSettled(cluster, names) }
            cluster.stop(old)
        }
        let outcome = cluster.run(.submit(TaskSpec(handler: "h")), through: "d")
        guard case .task = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }

    /// Nobody leads, and the only one it can reach has not heard yet that it was taken in.
    @Test func aMemberIsNotToldThatItWasRemovedByOneThatLagsBehind() throws {
        let cluster = founded()
        let leader = try #require(cluster.leader).id.name
        let others = Self.three.filter { $0 != leader }
        cluster.cut = [others[0]]
        cluster.start("d", joins: true)
        cluster.run { cluster["d"].standing == .member && cluster["d"].isReady }
        for name in [leader, others[1]] { cluster.stop(name) }
        cluster.cut = []
        cluster.run { cluster["d"].standing != .member }
        #expect(cluster["d"].standing == .disowned)
    }

    /// The wish is in the log: whoever leads next sees it through.
    @Test func aChangeGoesOnUnderTheNextLeader() throws {
        let cluster = founded()
        cluster.cut = ["d"]
        cluster.start("d")
        let added = cluster.run(.addMember(member("d")), through: "a")
        #expect(added == .done)
        cluster.run { cluster.leader?.raft.configuration.learners.isEmpty == false }
        let first = try #require(cluster.leader).id.name
        cluster.stop(first)
        cluster.run { cluster.leader != nil && cluster.leader?.id.name != first }
        cluster.cut = []
        let rest = (Self.three + ["d"]).filter { $0 != first }
        cluster.run {
            rest.allSatisfy { cluster[$0].raft.configuration.voters.count == 4 }
                && cluster.leader?.raft.isChangingMembership == false
        }
    }

    /// One is away, and another is removed by mistake: its vote is needed, and the mistake can be mended.
    @Test func whoseVoteIsNeededStaysAndMayBeTakenBack() throws {
        let cluster = founded()
        let leader = try #require(cluster.leader).id.name
        let others = Self.three.filter { $0 != leader }
        cluster.cut = [others[1]]
        cluster.run(milliseconds: 2_000)
        let removed = cluster.run(.removeMember(name: others[0], directory: 1), through: leader)
        #expect(removed == .done)
        cluster.run(milliseconds: 3_000)
        #expect(cluster[leader].raft.configuration.voters.map(\.name) == Self.three)
        let added = cluster.run(.addMember(member(others[0])), through: others[0])
        #expect(added == .done)
        cluster.run { cluster.leader?.raft.isChangingMembership == false }
        // The leader does not hold on to the old wish until the time for it comes.
        let members = try #require(cluster.leader).raft.configuration
        cluster.cut = []
        cluster.run(milliseconds: 3_000)
        #expect(cluster.leader?.raft.configuration == members)
        cluster.run { Self.isSettled(cluster, Self.three) }
    }

    /// A node that never comes holds nothing up, and can be given up.
    @Test func aWishCanBeTakenBack() {
        let cluster = founded()
        _ = cluster.run(.addMember(member("x", directory: 5)), through: "a")
        cluster.run { cluster.leader?.raft.configuration.learners.isEmpty == false }
        cluster.run(milliseconds: 3_000)
        #expect(cluster["a"].raft.configuration.voters.map(\.name) == Self.three)
        let removed = cluster.run(.removeMember(name: "x", directory: 5), through: "b")
        #expect(removed == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
    }

    @Test func theVersionRisesOnlyWhenAllCanFollow() {
        let cluster = ReplicaCluster()
        for name in Self.three {
            cluster.start(
                name, founders: Self.three, highestStateVersion: name == "b" ? 1 : 2)
        }
        cluster.run { cluster.leader?.scheduler.nodes.count == 3 }
        cluster.run(milliseconds: 3_000)
        #expect(cluster.leader?.scheduler.stateVersion == 1)
        let early = cluster.run(.addMember(member("d")), through: "a")
        #expect(early == .rejected(.notSupportedYet))
        #expect(cluster["b"].unsupportedStateVersion == nil)
    }

    /// What c could apply it will never say again, and as long as it counts nobody can take it out.
    @Test func aMemberWhoseDiskIsLostDoesNotHoldTheVersionBack() {
        let cluster = ReplicaCluster()
        for name in Self.three {
            cluster.start(
                name, founders: Self.three, highestStateVersion: name == "c" ? 1 : 2)
        }
        cluster.run { cluster.leader?.scheduler.nodes.count == 3 }
        cluster.stop("c")
        cluster.run { cluster.leader?.raft.acceptsProposals ?? false }
        cluster.run(milliseconds: 3_000)
        #expect(cluster.leader?.scheduler.stateVersion == 1)
        cluster.start("c", directory: 9)
        cluster.run { cluster.leader?.scheduler.members.count == 3 }
        let removed = cluster.run(.removeMember(name: "c", directory: 1), through: "b")
        #expect(removed == .done)
        let added = cluster.run(.addMember(member("c", directory: 9)), through: "b")
        #expect(added == .done)
        cluster.run { Self.isSettled(cluster, Self.three) }
    }

    /// The log was written by newer rules than the program knows: nothing behind that point is applied.
    @Test func aProgramTooOldStopsApplying() {
        let cluster = founded()
        cluster.start("d", highestStateVersion: 1)
        _ = cluster.run(.addMember(member("d")), through: "a")
        cluster.run { cluster["d"].unsupportedStateVersion == 2 }
        let applied = cluster["d"].applied
        _ = cluster.run(.submit(TaskSpec(handler: "h")), through: "a")
        cluster.run(milliseconds: 1_000)
        #expect(cluster["d"].applied == applied)
        #expect(!cluster["d"].hasBacklog)
    }

    @Test func leadershipIsHandedOverThroughAnyNode() throws {
        let cluster = founded()
        let leader = try #require(cluster.leader).id.name
        let target = try #require(Self.three.first { $0 != leader })
        let other = try #require(Self.three.first { $0 != leader && $0 != target })
        cluster.step(other, .transferLeadership(to: cluster[target].id))
        cluster.run { cluster.leader?.id.name == target }
    }

    /// Anybody can call under one name after the other: the founders are remembered, and what is kept is bounded.
    @Test func strangersWithManyNamesCrowdNobodyOut() {
        let cluster = ReplicaCluster()
        cluster.start("a", founders: ["a", "b"])
        cluster.start("b", founders: ["a", "b"])
        for number in 0..<1_000 { cluster.step("a", .peerConnected(NodeID("x\(number)"))) }
        #expect(cluster["a"].acquaintances.connected.count <= Acquaintances.maxNames)
        cluster.run { Self.isSettled(cluster, ["a", "b"]) }
    }

    /// What a node that is no member sends is not proposed, and its beats keep no worker alive.
    @Test func aStrangersRequestsAreNotTaken() throws {
        let cluster = founded()
        cluster.start("d")
        let leader = try #require(cluster.leader).id.name
        var group = CommandGroup(origin: "d", incarnation: 1, acknowledgedBelow: 0)
        group.append(sequence: 1, command: Command.submit(TaskSpec(handler: "h")).encoded())
        let index = cluster[leader].raft.lastIndex
        cluster.step(leader, .peer(from: cluster["d"].id, .forward(group)))
        let beat = PeerMessage.Beat(incarnation: 1, sentAt: 1, wall: 1)
        cluster.step(leader, .peer(from: cluster["d"].id, .beat(beat)))
        cluster.run(milliseconds: 500)
        #expect(cluster[leader].raft.lastIndex == index)
        #expect(cluster[leader].lastHeard(worker: "d") == nil)
    }

    /// A node that was restored from a backup meets a cluster that lives: it neither founds one beside it nor asks to
    /// be taken in, where it could never catch up.
    @Test(arguments: [false, true])
    func aRestoredNodeStaysOutOfACluster(joins: Bool) throws {
        let cluster = founded()
        cluster.stop("a")
        cluster.run { cluster.leader.map { $0.id.name != "a" } ?? false }
        let term = try #require(cluster.leader).raft.term
        let name = joins ? "d" : "a"
        cluster.start(
            name, directory: 2, founders: joins ? [] : Self.three, joins: joins, restoredAt: 1 << 32
        )
        cluster.run(milliseconds: 5_000)
        #expect(cluster[name].isRestored && cluster[name].raft.leader == nil)
        #expect(cluster[name].standing == .stranger(isNameTaken: !joins))
        let leader = try #require(cluster.leader)
        #expect(leader.id.name != name && leader.raft.term == term)
        #expect(leader.scheduler.members.map(\.name) == Self.three)
    }
}
