import Testing

@testable import Raft

/// What a disk has lost comes back from the peers, and meanwhile nothing is claimed about it.
@Suite struct RepairTests {
    private func cluster(_ settings: Settings = Settings()) -> Cluster {
        let cluster = Cluster(voters: ["n1", "n2", "n3"], settings: settings)
        cluster.elect("n1")
        for number in 2...9 { cluster.propose("c\(number)", on: "n1") }
        cluster.run(for: 200_000_000)
        return cluster
    }

    @Test func lostEntriesComeFromAPeer() {
        let cluster = cluster()
        cluster.damage("n3", entries: [3, 4, 7])
        #expect(cluster["n3"].raft.lostEntries == 3)
        #expect(cluster["n3"].raft.appliableIndex == 0)
        cluster.run(for: 500_000_000)
        #expect(!cluster["n3"].raft.isDamaged)
        #expect(cluster["n3"].disk.image.entries == cluster["n1"].disk.image.entries)
        #expect(cluster["n3"].appliedCommands == cluster["n1"].appliedCommands)
        #expect(cluster.oracle.faults == [])
    }

    /// Every member is damaged somewhere else, so nobody can lead. They repair each other.
    @Test func disjointDamageOnAllIsRepairedWithoutALeader() {
        let cluster = cluster()
        for id in cluster.ids { cluster.crash(id, syncedBatches: .max) }
        for (id, lost) in [("n1", [2, 3]), ("n2", [4, 5]), ("n3", [6, 9])] as [(NodeID, [Index])] {
            cluster.damage(id, entries: lost)
        }
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.ids.allSatisfy { !cluster[$0].raft.isDamaged })
        #expect(cluster.oracle.faults == [])
    }

    @Test func aDamagedNodeDoesNotLead() {
        let cluster = cluster()
        // Both others have lost the same entry, which n1 has, and n1 is gone.
        cluster.crash("n1")
        cluster.damage("n2", entries: [9])
        cluster.damage("n3", entries: [9])
        cluster.run(for: 5_000_000_000)
        #expect(cluster.leader == nil)
        cluster.restart("n1")
        #expect(cluster.run { cluster.leader != nil })
        #expect(cluster.run { !cluster["n2"].raft.isDamaged && !cluster["n3"].raft.isDamaged })
        #expect(cluster.oracle.faults == [])
    }

    @Test func nothingIsAcknowledgedPastTheDamage() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 1, 1, 1])
        image.entries[1].payload = .lost
        var bench = Bench("n1", image)
        let sent = bench.receive(append(after: 4, 1, commit: 4), from: "n2", term: 1).sent
        #expect(sent == ["n1→n2 t1 matched 1"])
        #expect(bench.raft.commitIndex == 4 && bench.raft.appliableIndex == 1)
        // Its vote is decided by the log that it knows it had.
        bench.now += 1_000_000_000
        let request = Message.VoteRequest(lastIndex: 3, lastTerm: 1, isTransfer: false)
        _ = bench.receive(.voteRequest(request), from: "n3", term: 2)
        #expect(bench.sync().sent == ["n1→n3 t2 vote no"])
    }

    @Test func contentOfAnotherTermIsNotTaken() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 2, 2])
        image.entries[1].payload = .lost
        var bench = Bench("n1", image)
        let wrong = Message.RepairReply(entries: entries([1], from: 2), isCompacted: false)
        _ = bench.receive(.repairReply(wrong), from: "n2", term: 0)
        #expect(bench.raft.isDamaged)
        let right = Message.RepairReply(entries: entries([2], from: 2), isCompacted: false)
        let effects = bench.receive(.repairReply(right), from: "n2", term: 0)
        #expect(!bench.raft.isDamaged)
        // Written anew from there, in one batch, and not vouched for before.
        #expect(effects.batches.map(\.truncateFrom) == [2])
        #expect(effects.batches.first?.entries.map(\.index) == [2, 3])
        #expect(bench.raft.durableIndex == 1)
        _ = bench.sync()
        #expect(bench.raft.durableIndex == 3)
    }

    /// A peer that has another history there has nothing to give.
    @Test func onlyTheSameHistoryHelps() {
        var bench = Bench(terms: [1, 1, 3])
        let request = Message.RepairRequest(first: 2, last: 3, lastTerm: 2)
        #expect(bench.receive(.repairRequest(request), from: "n2", term: 0) == [])
        let same = Message.RepairRequest(first: 2, last: 3, lastTerm: 3)
        #expect(
            bench.receive(.repairRequest(same), from: "n2", term: 0).sent
                == ["n1→n2 t0 repair 2/1 3/3"])
    }

    @Test func aTruncatedEntryNeedsNoRepair() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 1, 1])
        image.entries[2].payload = .lost
        var bench = Bench("n1", image)
        _ = bench.receive(append(after: 2, 1, [2]), from: "n2", term: 2)
        #expect(!bench.raft.isDamaged)
        _ = bench.sync()
        #expect(bench.raft.durableIndex == 3 && bench.raft.logText == "1 1 2")
    }

    @Test func theLeadersOwnEntriesRepairAsWell() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1, 1, 1])
        image.entries[1].payload = .lost
        var bench = Bench("n1", image)
        _ = bench.receive(append(after: 0, 0, [1, 1, 1]), from: "n2", term: 1)
        #expect(!bench.raft.isDamaged)
        #expect(bench.raft.entry(at: 2).payload == .command(Array("t1i2".utf8)))
    }

    @Test func compactedEntriesAreCoveredByASnapshot() {
        var settings = Settings()
        settings.retainedLogBytes = 0
        settings.maxRetainedLogBytes = 0
        let cluster = cluster(settings)
        cluster.crash("n3", syncedBatches: .max)
        for id in ["n1", "n2"] as [NodeID] { cluster.takeSnapshot(on: id) }
        cluster.run(for: 1_000_000_000)
        cluster.damage("n3", entries: [3, 4])
        #expect(cluster.run { !cluster["n3"].raft.isDamaged })
        #expect(cluster.run { cluster["n3"].appliedIndex == cluster["n1"].appliedIndex })
        #expect(cluster.oracle.faults == [])
    }

    @Test func aLostStateComesFromTheLeader() {
        let cluster = cluster()
        cluster.takeSnapshot(on: "n3")
        cluster.run(for: 100_000_000)
        // The leader has no snapshot at all yet, and has to take one.
        #expect(cluster["n1"].raft.snapshotMark.index == 0)
        cluster.damage("n3", losesState: true)
        #expect(cluster["n3"].raft.isDamaged && cluster["n3"].raft.appliableIndex == 0)
        #expect(cluster.run { !cluster["n3"].raft.isDamaged })
        #expect(cluster.run { cluster["n3"].appliedIndex == cluster["n1"].appliedIndex })
        cluster.propose("after", on: "n1")
        #expect(cluster.run { cluster["n3"].appliedCommands.last == "after" })
        #expect(cluster.oracle.faults == [])
    }

    /// The snapshot takes for ever, and one of three is gone: the log of the third is whole, so it counts.
    @Test func aFollowerWhoseStateIsLostKeepsAMajorityAliveDuringTheTransfer() {
        let cluster = cluster()
        for id in cluster.ids { cluster.takeSnapshot(on: id) }
        cluster.run(for: 100_000_000)
        cluster.crash("n2")
        var isStuck = true
        cluster.passes = { message in
            guard case .snapshotChunk = message.body else { return true }
            return !isStuck
        }
        cluster.damage("n3", losesState: true)
        for number in 10...40 {
            cluster.propose("c\(number)", on: "n1")
            cluster.run(for: 20_000_000)
        }
        let last = cluster["n1"].raft.lastIndex
        #expect(cluster.run { cluster["n1"].raft.commitIndex == last })
        #expect(cluster["n3"].raft.isDamaged && cluster["n3"].appliedIndex == 0)
        isStuck = false
        #expect(cluster.run { !cluster["n3"].raft.isDamaged })
        #expect(cluster.run { cluster["n3"].appliedIndex == last })
        #expect(cluster["n3"].appliedCommands.last == "c40")
        #expect(cluster.oracle.faults == [])
    }

    /// Whoever takes n3's acknowledgements for nothing, because its state is lost, elects a leader without them.
    @Test func whatAFollowerWithoutStateAcknowledgedIsNotOverruled() {
        let cluster = cluster()
        for id in cluster.ids { cluster.takeSnapshot(on: id) }
        cluster.run(for: 100_000_000)
        cluster.crash("n2", syncedBatches: .max)
        cluster.passes = { message in
            guard case .snapshotChunk = message.body else { return true }
            return false
        }
        cluster.damage("n3", losesState: true)
        cluster.propose("x", on: "n1")
        let last = cluster["n1"].raft.lastIndex
        #expect(cluster.run { cluster["n1"].raft.commitIndex == last })
        // n2 lacks it, n3 can't lead.
        cluster.crash("n1", syncedBatches: .max)
        cluster.restart("n2")
        cluster.run(for: 5_000_000_000)
        #expect(cluster.leader == nil)
        cluster.passes = { _ in true }
        cluster.restart("n1")
        #expect(cluster.run { cluster["n3"].appliedCommands.last == "x" })
        #expect(cluster.oracle.faults == [])
    }

    /// What follows the snapshot is still there when it has arrived, however often the leader compacts meanwhile.
    @Test func aLeaderMayCompactDuringARepair() {
        var settings = Settings()
        settings.retainedLogBytes = 0
        settings.maxSnapshotChunkBytes = 100
        let cluster = cluster(settings)
        for id in cluster.ids { cluster.takeSnapshot(on: id) }
        cluster.run(for: 100_000_000)
        var marks: Set<Index> = []
        cluster.passes = { message in
            if case .snapshotChunk(let chunk) = message.body { marks.insert(chunk.mark.index) }
            return true
        }
        cluster.delays = { message in
            if case .snapshotChunk = message.body { [50_000_000] } else { [0] }
        }
        cluster.damage("n3", losesState: true)
        for number in 10...30 {
            cluster.propose("c\(number)", on: "n1")
            cluster.run(for: 50_000_000)
            cluster.takeSnapshot(on: "n1")
        }
        #expect(cluster.run(upTo: 20_000_000_000) { !cluster["n3"].raft.isDamaged })
        #expect(cluster.run { cluster["n3"].appliedIndex == cluster["n1"].appliedIndex })
        #expect(marks.count == 1)
        #expect(cluster.oracle.faults == [])
    }

    /// Everything to n3 takes a second, which is longer than a piece is waited for.
    @Test func aPieceOnASlowLinkIsNotRepeated() {
        var settings = Settings()
        settings.maxSnapshotChunkBytes = 1024
        let cluster = cluster(settings)
        for id in cluster.ids { cluster.takeSnapshot(on: id) }
        cluster.run(for: 100_000_000)
        var rounds: [UInt64: Set<UInt64>] = [:]
        cluster.passes = { message in
            if case .snapshotChunk(let chunk) = message.body {
                rounds[chunk.offset, default: []].insert(chunk.round)
            }
            return true
        }
        cluster.delays = { message in [message.to == "n3" ? 1_000_000_000 : 0] }
        cluster.damage("n3", losesState: true)
        #expect(cluster.run(upTo: 30_000_000_000) { !cluster["n3"].raft.isDamaged })
        #expect(rounds.count == 4 && rounds.values.allSatisfy { $0.count == 1 })
    }

    @Test func bothLogAndStateAreLost() {
        let cluster = cluster()
        cluster.takeSnapshot(on: "n3")
        for number in 10...15 { cluster.propose("c\(number)", on: "n1") }
        cluster.run(for: 100_000_000)
        cluster.damage("n3", entries: [11, 13], losesState: true)
        #expect(cluster.run { !cluster["n3"].raft.isDamaged })
        #expect(cluster.run { cluster["n3"].appliedIndex == cluster["n1"].appliedIndex })
        #expect(cluster.oracle.faults == [])
    }

    private static let configuration = Configuration(voters: ["n1", "n2", "n3"])

    private func mark(_ index: Index) -> SnapshotMark {
        SnapshotMark(index: index, term: 1, configuration: Self.configuration)
    }

    /// The state at 5 is lost, the log goes on behind it.
    private func stateless(through last: Index, losing lost: Index? = nil) -> Bench {
        var image = Recovered(
            hardState: HardState(term: 1), snapshot: mark(5),
            entries: entries(Array(repeating: 1, count: Int(last - 5)), from: 6), isStateLost: true)
        if let lost { image.entries[Int(lost - 6)].payload = .lost }
        return Bench("n1", image)
    }

    private func begin(_ mark: SnapshotMark, on bench: inout Bench) {
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1], totalBytes: 1, round: 1)
        let effects = bench.receive(.snapshotChunk(chunk), from: "n2", term: 1)
        #expect(effects.contains(.storeSnapshotChunk(chunk)))
    }

    /// Entries that reach beyond the snapshot come in the turn that ends it. The leader is told of them, so they
    /// have to be there.
    @Test func aSnapshotForALostStateKeepsTheEntriesOfItsTurn() {
        var bench = stateless(through: 7)
        begin(mark(8), on: &bench)
        let entries = append(after: 7, 1, [1, 1, 1], commit: 7, round: 2)
        let effects = bench.turn(
            .receive(Message(from: "n2", to: "n1", term: 1, body: entries)),
            .snapshotChunkStored(mark: mark(8), nextOffset: 1, isComplete: true))
        #expect(bench.raft.lastIndex == 10)
        #expect(effects.batches.map(\.resetsLog) == [true])
        #expect(effects.batches.first?.entries.map(\.index) == [9, 10])
        let sent = bench.sync().sent
        #expect(sent.contains("n1→n2 t1 matched 10"))
        #expect(bench.raft.durableIndex == 10)
    }

    /// Entry 10 may have been acknowledged before the disk was damaged.
    @Test func aSnapshotForALostStateKeepsWhatWasAcknowledged() {
        var bench = stateless(through: 10, losing: 8)
        begin(mark(9), on: &bench)
        let repair = Message.RepairReply(entries: entries([1], from: 8), isCompacted: false)
        let effects = bench.turn(
            .receive(Message(from: "n3", to: "n1", term: 0, body: .repairReply(repair))),
            .snapshotChunkStored(mark: mark(9), nextOffset: 1, isComplete: true))
        #expect(!bench.raft.isDamaged && bench.raft.lastIndex == 10)
        #expect(effects.batches.first?.entries.map(\.index) == [10])
    }

    /// A lost entry that nobody committed is cut off: the snapshot need not reach it any more.
    @Test func aCutOffEntryRaisesNoFloor() {
        var bench = stateless(through: 9, losing: 9)
        let compacted = Message.RepairReply(entries: [], isCompacted: true)
        _ = bench.receive(.repairReply(compacted), from: "n3", term: 0)
        _ = bench.receive(append(after: 8, 1, [2], commit: 8), from: "n2", term: 2)
        #expect(bench.sync().sent == ["n1→n2 t2 matched 9, wants snapshot 5"])
    }
}
