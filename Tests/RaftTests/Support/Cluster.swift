import Testing

@testable import Raft

/// A cluster in one thread: virtual time, a network and disks with delays as the test wants them, and an
/// oracle that watches every step. By default the network and the disks take no time at all.
final class Cluster {
    private enum Event {
        case deliver(Message)
        case synced(NodeID, run: Int)
        case turn(NodeID, run: Int)
        case input(NodeID, run: Int, Input)
        case snapshotWanted(NodeID, run: Int, Index)
    }

    private struct Timed {
        let at: Nanoseconds
        let sequence: Int
        let event: Event
    }

    let settings: Settings
    let ids: [NodeID]
    /// The true time at which every cluster begins.
    static let begin: Nanoseconds = 1_000_000_000
    private(set) var now = Cluster.begin
    private var nodes: [NodeID: TestNode] = [:]
    private var members: [TestNode] = []
    private(set) var oracle = Oracle()
    /// Messages and other happenings since `takeTrace`, if `isTracing`.
    private var trace: [String] = []
    var isTracing = false
    private(set) var sentMessages = 0
    private var queue: [Timed] = []
    private var sequence = 0
    private(set) var restores = 0
    private(set) var readsReady = 0
    private let seed: UInt64
    private var nextRead: ReadID = 1
    /// Commit known anywhere when the read was asked: no answer may lie before it.
    private var readFloors: [ReadID: Index] = [:]

    /// False loses the message.
    var passes: (Message) -> Bool = { _ in true }
    /// One delay for each copy that arrives.
    var delays: (Message) -> [Nanoseconds] = { _ in [0] }
    var diskDelay: (NodeID) -> Nanoseconds = { _ in 0 }
    /// How long a node's loop is busy elsewhere: what comes meanwhile is one turn.
    var turnDelay: (NodeID) -> Nanoseconds = { _ in 0 }
    /// After this many events without time moving on, something answers itself for ever.
    var maxEventsAtOnce = 20_000
    var snapshotFileBytes = 4096

    init(_ images: [(NodeID, Recovered)], settings: Settings = Settings(), seed: UInt64 = 1) {
        self.settings = settings
        self.seed = seed
        ids = images.map(\.0)
        for (id, image) in images {
            let raft = Raft(
                id: id, settings: settings, recovered: image, now: now, seed: Self.seed(id, 0, seed)
            )
            let node = TestNode(id: id, raft: raft, disk: TestDisk(image))
            nodes[id] = node
            members.append(node)
            oracle.sawWritten(image.entries, after: 0)
        }
    }

    convenience init(
        voters: [NodeID], learners: [NodeID] = [], settings: Settings = Settings(), seed: UInt64 = 1
    ) {
        let image = Recovered(voters: voters, learners: learners)
        self.init((voters + learners).map { ($0, image) }, settings: settings, seed: seed)
    }

    private static func seed(_ id: NodeID, _ run: Int, _ seed: UInt64) -> UInt64 {
        var source = RandomSource(
            seed: id.name.utf8.reduce(seed &* 31) { $0 &* 131 &+ UInt64($1) } &+ UInt64(run) << 40)
        return source.next()
    }

    subscript(id: NodeID) -> TestNode {
        guard let node = nodes[id] else { preconditionFailure("no node \(id)") }
        return node
    }

    var leaders: [NodeID] { ids.filter { self[$0].isUp && self[$0].raft.role == .leader } }

    /// The leader of the newest term.
    var leader: NodeID? {
        leaders.max { self[$0].raft.term < self[$1].raft.term }
    }

    // MARK: - Acting

    /// One turn of a node's loop, with what has come to it before.
    func turn(_ id: NodeID, _ inputs: [Input]) {
        let node = self[id]
        guard node.isUp else { return }
        let clock = node.clock(at: now)
        let waiting = node.inbox
        node.inbox = []
        var effects: [Effect] = []
        for input in waiting + inputs {
            // What came before may have ended the leadership.
            if case .propose = input, !waiting.isEmpty, !node.raft.acceptsProposals { continue }
            let (seen, commit) = (effects.count, node.raft.commitIndex)
            node.raft.step(input, now: clock, into: &effects)
            watch(effects[seen...], of: node)
            oracle.sawCommit(
                from: commit, node.raft, under: node.raft.configuration,
                disks: nodes.mapValues(\.disk))
        }
        let seen = effects.count
        node.raft.finishTurn(now: clock, into: &effects)
        watch(effects[seen...], of: node)
        for effect in effects { carryOut(effect, on: id) }
        if node.raft.role == .leader { oracle.sawLeader(node.raft) }
        applyCommitted(id)
    }

    /// A later input of the same turn may change the log: what leaves has to be true when it is decided.
    private func watch(_ effects: ArraySlice<Effect>, of node: TestNode) {
        for case .send(let message) in effects {
            oracle.sawSent(message, by: node.raft, disk: node.disk)
        }
    }

    /// Comes to the node, whose loop sees it in its next turn.
    func deliver(_ input: Input, to id: NodeID) {
        let node = self[id]
        guard node.isUp else { return }
        if node.inbox.isEmpty {
            let delay = turnDelay(id)
            guard delay > 0 else { return turn(id, [input]) }
            schedule(.turn(id, run: node.run), after: delay)
        }
        node.inbox.append(input)
    }

    func propose(_ command: String, on id: NodeID) {
        deliver(.propose(Array(command.utf8)), to: id)
    }

    @discardableResult
    func read(on id: NodeID) -> ReadID {
        let read = nextRead
        nextRead += 1
        readFloors[read] = oracle.maxCommit
        deliver(.read(read), to: id)
        return read
    }

    func takeSnapshot(on id: NodeID) {
        guard self[id].isUp, self[id].appliedIndex > self[id].raft.snapshotMark.index else {
            return
        }
        // The first voters of these clusters stand in no entry, unless they were founded: a newcomer that gets the log from its
        // beginning does not know them before the first change.
        guard self[id].raft.mark(at: self[id].appliedIndex).configuration.isFounded else { return }
        let file = self[id].snapshotFile(sizeBytes: snapshotFileBytes)
        self[id].disk.put(file)
        turn(id, [.snapshotTaken(file.mark)])
    }

    /// Makes the oldest pending batches of a held disk durable and says so.
    func sync(_ id: NodeID, count: Int = .max) {
        if let ticket = self[id].disk.sync(count) { turn(id, [.durable(ticket)]) }
    }

    /// The process is gone and with it everything that was not synced. `syncedBatches` batches reached the
    /// disk without anybody hearing of it.
    func crash(_ id: NodeID, syncedBatches: Int = 0) {
        _ = self[id].disk.sync(syncedBatches)
        self[id].disk.crash()
        self[id].isUp = false
        self[id].inbox = []
        self[id].run += 1
        note("\(id) crashes")
    }

    /// The node stops, and comes back with damaged entries, or with a damaged snapshot.
    func damage(_ id: NodeID, entries: [Index] = [], losesState: Bool = false) {
        crash(id, syncedBatches: .max)
        self[id].disk.damage(entries)
        if losesState { self[id].disk.loseState() }
        restart(id)
    }

    func restart(_ id: NodeID) {
        guard !self[id].isUp else { return }
        let node = self[id]
        node.isUp = true
        node.raft = Raft(
            id: id, settings: settings, recovered: node.disk.image, now: node.clock(at: now),
            seed: Self.seed(id, node.run, seed))
        node.readAnswers = [:]
        node.appliedIndex = 0
        node.appliedHash = 0
        node.appliedCommands = []
        if node.disk.image.snapshot.index > 0, !node.disk.image.isStateLost {
            node.restore(node.disk.image.snapshot)
        }
        note("\(id) restarts")
    }

    // MARK: - Time

    /// Everything that is due now, and what comes of it.
    func settle() {
        run(until: now)
    }

    func run(for duration: Nanoseconds) {
        run(until: now + duration)
    }

    func run(until end: Nanoseconds) {
        var eventsAtOnce = 0
        while oracle.faults.isEmpty {
            let next = queue.indices.min { before(queue[$0], queue[$1]) }
            var due: NodeID?
            var tickAt = Nanoseconds.max
            for node in members where node.isUp && node.inbox.isEmpty {
                let deadline = node.time(of: node.raft.nextDeadline)
                guard deadline < tickAt else { continue }
                due = node.id
                tickAt = deadline
            }
            let eventAt = next.map { queue[$0].at } ?? .max
            let at = max(now, min(eventAt, tickAt))
            guard at <= end else { break }
            eventsAtOnce = at == now ? eventsAtOnce + 1 : 0
            guard eventsAtOnce < maxEventsAtOnce else {
                oracle.expect(false, "the cluster never comes to rest")
                return
            }
            now = at
            if eventAt <= tickAt, let next {
                handle(queue.remove(at: next).event)
            } else if let due {
                deliver(.tick, to: due)
            }
        }
        now = max(now, end)
    }

    func run(upTo limit: Nanoseconds = 5_000_000_000, until holds: () -> Bool) -> Bool {
        let end = now + limit
        while !holds() {
            guard now < end, oracle.faults.isEmpty else { return false }
            run(for: 1_000_000)
        }
        return true
    }

    /// Lets the first election happen and returns its winner.
    func elect() throws -> NodeID {
        try #require(run { leader.map { self[$0].raft.acceptsProposals } ?? false })
        settle()
        return try #require(leader)
    }

    /// Lets this node's patience end, and nobody else's; it wins if it can.
    func elect(_ id: NodeID) {
        now += 2 * settings.electionNanoseconds
        for other in ids {
            let deadline = now + (other == id ? 0 : 2 * settings.electionNanoseconds)
            self[other].raft.electionDeadline = deadline
        }
        turn(id, [.tick])
        settle()
    }

    func takeTrace() -> String {
        defer { trace.removeAll() }
        return trace.joined(separator: "\n")
    }

    func note(_ line: @autoclosure () -> String) {
        if isTracing { trace.append(line()) }
    }

    // MARK: - Effects

    private func before(_ left: Timed, _ right: Timed) -> Bool {
        (left.at, left.sequence) < (right.at, right.sequence)
    }

    private func schedule(_ event: Event, after delay: Nanoseconds) {
        sequence += 1
        queue.append(Timed(at: now + delay, sequence: sequence, event: event))
    }

    private func handle(_ event: Event) {
        switch event {
        case .deliver(let message):
            // A second look: a partition that began meanwhile loses what is under way.
            guard passes(message), self[message.to].isUp else { return }
            deliver(.receive(message), to: message.to)
        case .synced(let id, let run):
            guard self[id].run == run, self[id].isUp, !self[id].isDiskHeld else { return }
            if let ticket = self[id].disk.sync(1) { deliver(.durable(ticket), to: id) }
        case .turn(let id, let run):
            guard self[id].run == run, !self[id].inbox.isEmpty else { return }
            turn(id, [])
        case .input(let id, let run, let input):
            guard self[id].run == run, self[id].isUp else { return }
            deliver(input, to: id)
        case .snapshotWanted(let id, let run, let index):
            guard self[id].run == run, self[id].isUp, self[id].appliedIndex >= index,
                self[id].raft.snapshotMark.index < index
            else { return }
            takeSnapshot(on: id)
        }
    }

    private func carryOut(_ effect: Effect, on id: NodeID) {
        let run = self[id].run
        switch effect {
        case .send(let message):
            sentMessages += 1
            guard passes(message), nodes[message.to] != nil else {
                note("lost: \(message.text)")
                return
            }
            note(message.text)
            for delay in delays(message) { schedule(.deliver(message), after: delay) }
        case .persist(let batch):
            let first = batch.entries.first?.index ?? 0
            let raft = self[id].raft
            oracle.sawWritten(
                batch.entries,
                after: first > raft.firstIndex ? raft.entry(at: first - 1).term : nil)
            self[id].disk.write(batch)
            if !self[id].isDiskHeld { schedule(.synced(id, run: run), after: diskDelay(id)) }
        case .readReady(let read, let index):
            oracle.expect(self[id].readAnswers[read] == nil, "read \(read) is answered twice")
            oracle.expect(index >= readFloors[read] ?? 0, "read \(read) at \(index) is stale")
            readsReady += 1
            self[id].readAnswers[read] = .ready(index)
        case .readFailed(let read):
            oracle.expect(self[id].readAnswers[read] == nil, "read \(read) is answered twice")
            self[id].readAnswers[read] = .failed
        case .leadershipChanged:
            let raft = self[id].raft
            note("\(id) \(raft.role) term \(raft.term) leader \(raft.leader?.name ?? "-")")
        case .readSnapshotChunk(let peer, let mark, let offset):
            let bytes = self[id].disk.files[mark.index]?.bytes ?? []
            let end = min(bytes.count, Int(offset) + settings.maxSnapshotChunkBytes)
            let answer = Input.snapshotChunkRead(
                to: peer, mark: mark, offset: offset,
                bytes: Int(offset) < end ? Array(bytes[Int(offset)..<end]) : [],
                totalBytes: UInt64(bytes.count))
            schedule(.input(id, run: run, answer), after: diskDelay(id))
        case .storeSnapshotChunk(let chunk):
            let answer = self[id].disk.store(chunk)
            schedule(.input(id, run: run, answer), after: diskDelay(id))
        case .takeSnapshot(let index):
            schedule(.snapshotWanted(id, run: run, index), after: diskDelay(id))
        case .restore(let mark):
            restores += 1
            note("\(id) restores \(mark.index)")
            self[id].restore(mark)
            oracle.sawApplied(mark.index, hash: self[id].appliedHash, on: id)
        }
    }

    private func applyCommitted(_ id: NodeID) {
        let appliable = self[id].raft.appliableIndex
        while self[id].appliedIndex < appliable {
            let entry = self[id].raft.entry(at: self[id].appliedIndex + 1)
            oracle.expect(
                self[id].disk.holds(entry.index, term: entry.term), "applied before it is durable")
            self[id].apply(entry)
            oracle.sawApplied(entry.index, hash: self[id].appliedHash, on: id)
        }
    }
}
