@testable import Raft

/// A cluster on which nothing happens by itself: no message arrives, no batch is synced and no time passes
/// unless a command of a transcript says so. It writes down what comes of each command.
final class Stage {
    struct Member {
        var raft: Raft
        var disk: TestDisk
        var isUp = true
        var run: UInt64 = 0
        var appliedIndex: Index = 0
        /// Pieces of a snapshot that wait for the disk.
        var storing: [Message.SnapshotChunk] = []
        /// The file that is received next turns out to be damaged.
        var damagesNextFile = false

        var leads: Bool { isUp && raft.role == .leader }
    }

    struct Link: Hashable {
        let from: NodeID
        let to: NodeID
    }

    var settings = Settings()
    private(set) var ids: [NodeID] = []
    var now: Nanoseconds = 1_000_000_000
    private(set) var oracle = Oracle()
    /// Messages under way, oldest first.
    var network: [Message] = []
    var cutLinks: Set<Link> = []
    /// Batches are synced as soon as they are written.
    var hasFastDisks = false
    var lastRead: ReadID = 0

    private var members: [NodeID: Member] = [:]
    private var lines: [String] = []
    private var indentation = ""

    subscript(id: NodeID) -> Member {
        get {
            guard let member = members[id] else { preconditionFailure("no node \(id)") }
            return member
        }
        set { members[id] = newValue }
    }

    /// When the first of the leaders is due; a transfer that ends counts as well.
    var nextHeartbeat: Nanoseconds? {
        ids.filter { self[$0].leads }.map { self[$0].raft.nextDeadline }.min()
    }

    func has(_ id: NodeID) -> Bool { members[id] != nil }

    /// A node begins its life, or another one, with this on its disk.
    func start(_ id: NodeID, from disk: TestDisk) {
        let run = (members[id]?.run ?? 0) + 1
        let raft = Raft(
            id: id, settings: settings, recovered: disk.image, now: now,
            seed: id.name.utf8.reduce(run) { $0 &* 131 &+ UInt64($1) })
        if members[id] == nil { ids = (ids + [id]).sorted() }
        var member = Member(raft: raft, disk: disk, run: run)
        member.appliedIndex = disk.image.isStateLost ? 0 : disk.image.snapshot.index
        members[id] = member
        // A damaged entry was seen when it was written.
        if disk.isWhole(through: disk.lastIndex) {
            oracle.sawWritten(disk.image.entries, after: nil)
        }
    }

    /// What was said since the last call.
    func takeLines() -> [String] {
        defer { lines.removeAll() }
        return lines
    }

    func say(_ line: String) {
        lines.append(indentation + line)
    }

    /// A line and, further in, what comes of it.
    func say(_ cause: String, then act: () -> Void) {
        say(cause)
        let before = indentation
        indentation += "  "
        act()
        indentation = before
    }

    // MARK: - Turns

    /// One turn of a node's loop.
    func turn(_ id: NodeID, _ inputs: Input...) {
        turn(id, inputs)
    }

    func turn(_ id: NodeID, _ inputs: [Input]) {
        guard self[id].isUp else { return }
        let before = Standing(self[id].raft)
        var effects: [Effect] = []
        for input in inputs { self[id].raft.step(input, now: now, into: &effects) }
        // The end of the turn may append the next one.
        let governing = self[id].raft.configuration
        self[id].raft.finishTurn(now: now, into: &effects)
        if Standing(self[id].raft).leadership != before.leadership {
            say("\(id) \(self[id].raft.leadershipText)")
        }
        if self[id].raft.configuration != before.configuration {
            say("\(id) has \(self[id].raft.configuration.text)")
        }
        for effect in effects { carryOut(effect, on: id) }
        sawTurn(of: id, since: before, under: governing)
        answerFileReads(among: effects, on: id)
        if hasFastDisks { sync(id) }
    }

    private struct Standing {
        let leadership: String
        let configuration: Configuration
        let commit: Index

        init(_ raft: Raft) {
            leadership = raft.leadershipText
            configuration = raft.configuration
            commit = raft.commitIndex
        }
    }

    private func sawTurn(
        of id: NodeID, since before: Standing, under configuration: Configuration
    ) {
        if self[id].raft.role == .leader { oracle.sawLeader(self[id].raft) }
        if self[id].raft.commitIndex > before.commit {
            say("\(id) commits \(self[id].raft.commitIndex)")
            oracle.sawCommit(
                from: before.commit, self[id].raft, under: configuration,
                disks: members.mapValues(\.disk))
        }
        var applied: [String] = []
        while self[id].appliedIndex < self[id].raft.appliableIndex {
            let entry = self[id].raft.entry(at: self[id].appliedIndex + 1)
            oracle.expect(
                self[id].disk.holds(entry.index, term: entry.term), "applied before it is durable")
            self[id].appliedIndex += 1
            applied.append(entry.text)
        }
        if !applied.isEmpty { say("\(id) applies \(applied.joined(separator: " "))") }
    }

    private func carryOut(_ effect: Effect, on id: NodeID) {
        switch effect {
        case .send(let message):
            oracle.sawSent(message, by: self[id].raft, disk: self[id].disk)
            let isCut = cutLinks.contains(Link(from: id, to: message.to))
            say(message.transcriptText + (isCut ? " (cut)" : ""))
            if !isCut { network.append(message) }
        case .persist(let batch):
            say("\(id) writes \(batch.text)")
            let first = batch.entries.first?.index ?? 0
            let raft = self[id].raft
            oracle.sawWritten(
                batch.entries,
                after: first > raft.firstIndex ? raft.entry(at: first - 1).term : nil)
            self[id].disk.write(batch)
        case .readReady(let read, let index): say("\(id) may answer read \(read) at \(index)")
        case .readFailed(let read): say("\(id) can't answer read \(read)")
        case .readSnapshotChunk(let peer, let mark, let offset):
            say("\(id) opens snapshot \(mark.index) at \(offset) for \(peer)")
        case .storeSnapshotChunk(let chunk):
            say("\(id) stores bytes \(chunk.range) of snapshot \(chunk.mark.index)")
            self[id].storing.append(chunk)
        case .restore(let mark):
            say("\(id) restores \(mark.index)")
            self[id].appliedIndex = mark.index
        case .takeSnapshot(let index): say("\(id) shall take a snapshot at \(index) or behind")
        default:
            // Who leads is said once for the whole turn.
            if effect != .leadershipChanged { say("\(id): \(effect)") }
        }
    }

    /// Reading a file promises nothing, so it is not worth a command.
    private func answerFileReads(among effects: [Effect], on id: NodeID) {
        for case .readSnapshotChunk(let peer, let mark, let offset) in effects {
            let bytes = self[id].disk.files[mark.index]?.bytes ?? []
            let start = min(bytes.count, Int(offset))
            let end = min(bytes.count, start + settings.maxSnapshotChunkBytes)
            turn(
                id,
                .snapshotChunkRead(
                    to: peer, mark: mark, offset: offset, bytes: Array(bytes[start..<end]),
                    totalBytes: UInt64(bytes.count)))
        }
    }

    // MARK: - Disk

    /// Makes the oldest batches durable and says so; with all of them, pieces of snapshots as well.
    func sync(_ id: NodeID, count: Int = .max) {
        guard self[id].isUp else { return }
        if let ticket = self[id].disk.sync(count) {
            say("synced \(id) #\(ticket)") { turn(id, .durable(ticket)) }
        }
        guard count == .max else { return }
        while let chunk = self[id].storing.first {
            self[id].storing.removeFirst()
            store(chunk, on: id)
        }
    }

    private func store(_ chunk: Message.SnapshotChunk, on id: NodeID) {
        var answer = self[id].disk.store(chunk)
        if chunk.isLast, self[id].damagesNextFile {
            self[id].damagesNextFile = false
            self[id].disk.remove(fileAt: chunk.mark.index)
            answer = .snapshotChunkStored(mark: chunk.mark, nextOffset: 0, isComplete: false)
            say("damaged \(id) snapshot \(chunk.mark.index)") { turn(id, answer) }
        } else {
            say("stored \(id) bytes \(chunk.range)") { turn(id, answer) }
        }
    }

    /// The process is gone, and all that was not synced. `syncedBatches` batches reached the disk without
    /// anybody hearing of it.
    func crash(_ id: NodeID, syncedBatches: Int) {
        if syncedBatches > 0 { _ = self[id].disk.sync(syncedBatches) }
        self[id].disk.crash()
        self[id].storing.removeAll()
        self[id].isUp = false
    }

    // MARK: - Network

    func deliver(_ message: Message) {
        let isHeard = has(message.to) && self[message.to].isUp
        let isCut = cutLinks.contains(Link(from: message.from, to: message.to))
        guard isHeard, !isCut else {
            say("lost \(message.transcriptText)")
            return
        }
        say("arrived \(message.transcriptText)") { turn(message.to, .receive(message)) }
    }

    /// Until nothing is under way and everything is on disk. False if that takes for ever.
    func settle() -> Bool {
        for _ in 0..<1000 {
            for id in ids { sync(id) }
            let messages = network
            network.removeAll()
            for message in messages { deliver(message) }
            if network.isEmpty, ids.allSatisfy({ isAtRest(self[$0]) }) { return true }
        }
        return false
    }

    private func isAtRest(_ member: Member) -> Bool {
        !member.isUp || member.disk.pending.isEmpty && member.storing.isEmpty
    }
}
