import Testing

@testable import Raft

@Suite struct SnapshotTests {
    private func settings() -> Settings {
        var settings = Settings()
        settings.retainedLogBytes = 0
        settings.maxRetainedLogBytes = 0
        settings.maxSnapshotChunkBytes = 1000
        return settings
    }

    /// n3 was away while the others went on, took a snapshot and dropped what it would need.
    private func clusterWithAStraggler() -> Cluster {
        let cluster = Cluster(voters: ["n1", "n2", "n3"], settings: settings())
        cluster.snapshotFileBytes = 3500
        cluster.elect("n1")
        cluster.crash("n3")
        for command in ["a", "b", "c"] { cluster.propose(command, on: "n1") }
        cluster.settle()
        cluster.takeSnapshot(on: "n1")
        cluster.settle()
        return cluster
    }

    @Test func aStragglerIsSentASnapshot() {
        let cluster = clusterWithAStraggler()
        #expect(cluster["n1"].raft.firstIndex == 5)
        cluster.run(for: 2 * cluster.settings.electionNanoseconds)
        cluster.isTracing = true
        cluster.restart("n3")
        cluster.run(for: cluster.settings.heartbeatNanoseconds)
        let trace = cluster.takeTrace().split(separator: "\n").filter {
            $0.contains("n3") && !$0.contains("received")
        }
        #expect(
            trace == [
                "n3 restarts",
                "n1→n3 t1 append 0/0 [] commit 4",
                "n3 follower term 1 leader n1",
                "n3→n1 t1 matched 0",
                "n1→n3 t1 chunk 4/1 bytes 0..<1000 of 3504",
                "n3→n1 t1 wants 4@1000",
                "n1→n3 t1 chunk 4/1 bytes 1000..<2000 of 3504",
                "n3→n1 t1 wants 4@2000",
                "n1→n3 t1 chunk 4/1 bytes 2000..<3000 of 3504",
                "n3→n1 t1 wants 4@3000",
                "n1→n3 t1 chunk 4/1 bytes 3000..<3504 of 3504",
                "n3 restores 4",
                "n3→n1 t1 installed 4",
                "n1→n3 t1 append 4/1 [] commit 4",
            ])
        #expect(cluster["n3"].appliedHash == cluster["n1"].appliedHash)
        cluster.propose("d", on: "n1")
        cluster.settle()
        #expect(cluster["n3"].appliedCommands == ["…4", "d"])
        #expect(cluster.oracle.faults == [])
    }

    /// The window is full of an append that was lost, and its entries are compacted away before a heartbeat
    /// could stand on them.
    @Test func aLostAppendIsNoticedAfterItsEntriesAreGone() {
        var settings = settings()
        settings.maxInFlightMessages = 1
        let cluster = Cluster(voters: ["n1", "n2", "n3"], settings: settings)
        cluster.elect("n1")
        cluster.settle()
        cluster.passes = { message in
            guard message.to == "n3", case .append(let append) = message.body else { return true }
            return append.entries.isEmpty
        }
        for command in ["a", "b", "c"] {
            cluster.propose(command, on: "n1")
            cluster.settle()
        }
        cluster.takeSnapshot(on: "n1")
        cluster.settle()
        #expect(cluster["n1"].raft.firstIndex == 5)
        cluster.passes = { _ in true }
        #expect(cluster.run(upTo: 20_000_000_000) { cluster["n3"].appliedIndex == 4 })
        #expect(cluster.oracle.faults == [])
    }

    @Test func lostChunksAreSentAgainFromWhereTheyStopped() {
        let cluster = clusterWithAStraggler()
        var offsets: [UInt64] = []
        var tries: [UInt64: Int] = [:]
        cluster.passes = { message in
            guard case .snapshotChunk(let chunk) = message.body else { return true }
            if offsets.last != chunk.offset { offsets.append(chunk.offset) }
            // Each piece gets through at the third try only.
            tries[chunk.offset, default: 0] += 1
            return tries[chunk.offset, default: 0] > 4
        }
        cluster.restart("n3")
        #expect(cluster.run(upTo: 20_000_000_000) { cluster["n3"].appliedIndex == 4 })
        #expect(offsets == [0, 1000, 2000, 3000])
        #expect(cluster.oracle.faults == [])
    }

    @Test func lostRepliesResumeWhereTheReceiverIs() {
        let cluster = clusterWithAStraggler()
        var lost = 0
        cluster.passes = { message in
            guard case .snapshotReply = message.body, lost < 2 else { return true }
            lost += 1
            return false
        }
        cluster.restart("n3")
        #expect(cluster.run(upTo: 20_000_000_000) { cluster["n3"].appliedIndex == 4 })
        #expect(lost == 2)
        #expect(cluster.oracle.faults == [])
    }

    @Test func anotherLeaderGoesOnWithTheSameSnapshot() {
        let cluster = clusterWithAStraggler()
        cluster.takeSnapshot(on: "n2")
        var offsets: [UInt64] = []
        cluster.passes = { message in
            guard case .snapshotChunk(let chunk) = message.body else { return true }
            if message.from == "n1", chunk.offset == 2000 { return false }
            offsets.append(chunk.offset)
            return true
        }
        cluster.restart("n3")
        cluster.run(for: cluster.settings.electionNanoseconds)
        cluster.crash("n1")
        #expect(cluster.run(upTo: 20_000_000_000) { cluster["n3"].appliedIndex >= 4 })
        // Each piece passes twice through the test's eyes, when sent and when delivered; the new leader
        // begins at 0 and is told where to go on.
        #expect(offsets == [0, 0, 1000, 1000, 0, 0, 2000, 2000, 3000, 3000])
        #expect(cluster.oracle.faults == [])
    }

    @Test func aFileThatIsGoneIsReplacedByANewerOne() {
        let cluster = clusterWithAStraggler()
        var isStopped = true
        cluster.passes = { message in
            guard case .snapshotChunk(let chunk) = message.body, isStopped else { return true }
            return chunk.offset < 1000
        }
        cluster.restart("n3")
        cluster.run(for: cluster.settings.electionNanoseconds)
        cluster.propose("d", on: "n1")
        cluster.settle()
        cluster.takeSnapshot(on: "n1")
        cluster["n1"].disk.remove(fileAt: 4)
        isStopped = false
        #expect(cluster.run { cluster["n3"].appliedCommands == ["…5"] })
        #expect(cluster.oracle.faults == [])
    }

    /// The state machine is given the snapshot only when the log durably starts behind it.
    @Test func restoreWaitsForTheMarker() {
        var bench = Bench(terms: [1, 1])
        let mark = SnapshotMark(
            index: 9, term: 2, configuration: Configuration(voters: ["n1", "n2", "n4"]))
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1, 2], totalBytes: 2, round: 1)
        let store = bench.receive(.snapshotChunk(chunk), from: "n2", term: 2)
        #expect(store.contains(.storeSnapshotChunk(chunk)))
        _ = bench.sync()
        let install = bench.turn(.snapshotChunkStored(mark: mark, nextOffset: 2, isComplete: true))
        #expect(install.batches.map(\.snapshot) == [mark])
        #expect(install.batches.map(\.resetsLog) == [true])
        #expect(install.sent == [] && !install.contains(.restore(mark)))
        #expect(bench.raft.appliableIndex == 0 && bench.raft.commitIndex == 9)
        let done = bench.sync()
        #expect(done == [.restore(mark), done[1]])
        #expect(done.sent == ["n1→n2 t2 installed 9"])
        #expect(bench.raft.appliableIndex == 9 && bench.raft.firstIndex == 10)
        #expect(bench.raft.configuration.voters == ["n1", "n2", "n4"])
        // Entries behind it follow.
        _ = bench.receive(append(after: 9, 2, [2], commit: 10, round: 2), from: "n2", term: 2)
        #expect(bench.sync().sent == ["n1→n2 t2 matched 10"])
    }

    /// Entries after the reset wait with it.
    @Test func entriesBehindAPendingResetAreNotDurableBeforeIt() {
        var bench = Bench(terms: [1, 1])
        let mark = SnapshotMark(index: 9, term: 2, configuration: bench.raft.configuration)
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1], totalBytes: 1, round: 1)
        _ = bench.receive(.snapshotChunk(chunk), from: "n2", term: 2)
        let earlier = bench.receive(append(after: 2, 1, [1, 1], round: 2), from: "n2", term: 2)
        let reset = bench.turn(.snapshotChunkStored(mark: mark, nextOffset: 1, isComplete: true))
        _ = bench.receive(append(after: 9, 2, [2], round: 3), from: "n2", term: 2)
        let tooEarly = bench.turn(.durable(earlier.batches[0].ticket))
        #expect(bench.raft.durableIndex == 0 && !tooEarly.contains(.restore(mark)))
        let inTime = bench.turn(.durable(reset.batches[0].ticket))
        #expect(bench.raft.durableIndex == 9 && inTime.contains(.restore(mark)))
        _ = bench.sync()
        #expect(bench.raft.durableIndex == 10)
    }

    /// The piece came in the round of an earlier leader; the answer must not prove anything to the next.
    @Test func aRoundOfAnotherTermIsNotAnswered() {
        var bench = Bench(terms: [1])
        let mark = SnapshotMark(index: 9, term: 1, configuration: bench.raft.configuration)
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1], totalBytes: 2, round: 500)
        _ = bench.receive(.snapshotChunk(chunk), from: "n2", term: 1)
        _ = bench.receive(RaftTests.append(after: 1, 1), from: "n3", term: 2)
        _ = bench.sync()
        let effects = bench.turn(.snapshotChunkStored(mark: mark, nextOffset: 1, isComplete: false))
        let reply = Message.SnapshotReply(index: 9, nextOffset: 1, isInstalled: false, round: 0)
        #expect(
            effects == [
                .send(Message(from: "n1", to: "n3", term: 2, body: .snapshotReply(reply)))
            ])
    }

    @Test func aSnapshotOfWhatIsKnownInstallsNothing() {
        var bench = Bench(terms: [1, 1, 1])
        let mark = SnapshotMark(index: 2, term: 1, configuration: bench.raft.configuration)
        let chunk = Message.SnapshotChunk(
            mark: mark, offset: 0, bytes: [1], totalBytes: 9, round: 1)
        let effects = bench.receive(.snapshotChunk(chunk), from: "n2", term: 1)
        #expect(effects.sent == ["n1→n2 t1 installed 2"])
        #expect(bench.raft.commitIndex == 2 && bench.raft.lastIndex == 3)
        #expect(bench.raft.firstIndex == 1)
    }

    @Test func compactionWritesTheMarkerAndKeepsATail() throws {
        var settings = Settings()
        settings.retainedLogBytes = entries([1, 1], from: 1).reduce(0) { $0 + $1.sizeBytes }
        var bench = Bench(terms: [1, 1, 1, 1], settings: settings)
        _ = bench.receive(append(after: 4, 1, commit: 3), from: "n2", term: 1)
        let mark = bench.raft.mark(at: 3)
        let effects = bench.turn(.snapshotTaken(mark))
        #expect(effects.batches.map(\.snapshot) == [mark])
        #expect(effects.batches.map(\.resetsLog) == [false])
        #expect(bench.raft.firstIndex == 2 && bench.raft.snapshotMark.index == 3)
        #expect(bench.raft.logBytes == bench.raft.entry(at: 4).sizeBytes)
        #expect(bench.raft.coverableLogBytes <= bench.raft.logBytes)
        // Again, or an older one: nothing.
        #expect(bench.turn(.snapshotTaken(mark)).isEmpty)
    }

    /// A peer that needs only what the tail still has is sent entries.
    @Test func theRetainedTailSparesSnapshots() {
        var settings = settings()
        settings.retainedLogBytes = 1 << 20
        let cluster = Cluster(voters: ["n1", "n2", "n3"], settings: settings)
        cluster.elect("n1")
        cluster.crash("n3")
        cluster.propose("a", on: "n1")
        cluster.settle()
        cluster.takeSnapshot(on: "n1")
        cluster.restart("n3")
        cluster.run(for: settings.heartbeatNanoseconds)
        #expect(cluster["n3"].appliedCommands == ["a"])
        #expect(cluster.restores == 0)
    }

    @Test func aNodeRestartsFromItsSnapshot() {
        let cluster = clusterWithAStraggler()
        cluster.propose("d", on: "n1")
        cluster.settle()
        cluster.crash("n1")
        cluster.restart("n1")
        #expect(cluster["n1"].raft.firstIndex == 5 && cluster["n1"].raft.lastIndex == 5)
        #expect(cluster["n1"].raft.commitIndex == 4)
        #expect(cluster.run { cluster["n1"].appliedCommands == ["…4", "d"] })
    }
}
