import Raft

/// The state machine: a map. The same entries in the same order make the same map on every node.
struct KeyValueMap: Equatable {
    private(set) var values: [String: String] = [:]
    private(set) var appliedIndex: Index = 0

    init() {}

    init(snapshot: [UInt8], at index: Index) {
        String(decoding: snapshot, as: UTF8.self).split(separator: "\n").forEach { set($0) }
        appliedIndex = index
    }

    /// In a fixed order: a snapshot of the same map has the same bytes on every node.
    var snapshot: [UInt8] {
        Array(values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined().utf8)
    }

    mutating func apply(_ entry: Entry) {
        precondition(entry.index == appliedIndex + 1, "entries are applied in order, each once")
        appliedIndex = entry.index
        // No-ops and configurations are Raft's own business.
        if case .command(let bytes) = entry.payload { set(String(decoding: bytes, as: UTF8.self)) }
    }

    private mutating func set(_ assignment: some StringProtocol) {
        let parts = assignment.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
}

/// Stands for a directory with a log and snapshot files. What is not in `synced` is gone after a crash.
struct Disk {
    private(set) var synced: Recovered
    private(set) var files: [Index: [UInt8]] = [:]
    private var written: [Batch] = []
    private var receiving: [UInt8] = []

    /// An empty directory: no term, no log, and a configuration of nobody.
    init() {
        let start = SnapshotMark(index: 0, term: 0, configuration: Configuration(voters: []))
        synced = Recovered(hardState: HardState(), snapshot: start, entries: [])
    }

    mutating func write(_ batch: Batch) { written.append(batch) }

    /// One sync for everything written since the last; nil if that is nothing.
    mutating func sync() -> Ticket? {
        defer { written.removeAll() }
        for batch in written { carryOut(batch) }
        return written.last?.ticket
    }

    /// All of a batch or nothing, in the order of its fields.
    private mutating func carryOut(_ batch: Batch) {
        if let hardState = batch.hardState { synced.hardState = hardState }
        if let mark = batch.snapshot {
            synced.entries.removeAll { batch.resetsLog || $0.index <= mark.index }
            synced.snapshot = mark
            // A transfer of the one before may still be under way.
            for old in files.keys.sorted().dropLast(2) { files[old] = nil }
        }
        if let first = batch.truncateFrom { synced.entries.removeAll { $0.index >= first } }
        synced.entries += batch.entries
    }

    mutating func crash() {
        written.removeAll()
        receiving.removeAll()
    }

    /// In life: temporary file, checksum, sync, rename, sync of the directory; only then `snapshotTaken`.
    mutating func put(_ file: [UInt8], at mark: SnapshotMark) { files[mark.index] = file }

    /// A piece of a snapshot from the leader. The answer to the last one says that the file is in place.
    mutating func store(_ chunk: Message.SnapshotChunk) -> Input {
        if chunk.offset == 0 { receiving.removeAll() }
        if UInt64(receiving.count) == chunk.offset { receiving += chunk.bytes }
        let isComplete = UInt64(receiving.count) == chunk.totalBytes
        if isComplete { put(receiving, at: chunk.mark) }
        return .snapshotChunkStored(
            mark: chunk.mark, nextOffset: UInt64(receiving.count), isComplete: isComplete)
    }
}

/// What a client hears. After `unknown` it may have happened or not; what asks again needs an identity of its own
/// in the state machine, or it may happen twice.
enum Answer: Equatable {
    case done, refused, unknown
    case value(String?)
}

/// One node: the core, its disk, its state machine, and what waits for them.
final class Host {
    private(set) var raft: Raft
    private(set) var map = KeyValueMap()
    private(set) var disk: Disk
    /// What happened since the last turn.
    var inbox: [Input] = []
    /// By the numbers of the requests; those of reads are unique in one life of the node.
    private(set) var answers: [UInt64: Answer] = [:]
    private var commands: [(request: UInt64, command: String)] = []
    private var proposed: [Index: (request: UInt64, term: Term)] = [:]
    private var keys: [ReadID: String] = [:]
    private var reads: [(id: ReadID, index: Index)] = []
    private var effects: [Effect] = []

    init(_ id: NodeID, disk: Disk, now: Nanoseconds, seed: UInt64) {
        self.disk = disk
        let mark = disk.synced.snapshot
        if let file = disk.files[mark.index] { map = KeyValueMap(snapshot: file, at: mark.index) }
        raft = Raft(
            id: id, settings: Settings(), recovered: disk.synced, now: now, seed: seed)
    }

    func write(_ key: String, _ value: String, request: UInt64) {
        commands.append((request, "\(key)=\(value)"))
    }

    func read(_ key: String, request: UInt64) {
        keys[request] = key
        inbox.append(.read(request))
    }

    /// One turn: everything that happened, then its effects in order, then what can be applied and answered.
    func turn(now: Nanoseconds) -> [Message] {
        if let ticket = disk.sync() { inbox.append(.durable(ticket)) }
        if now >= raft.nextDeadline { inbox.append(.tick) }
        guard !inbox.isEmpty || !commands.isEmpty else { return [] }
        for input in inbox { raft.step(input, now: now, into: &effects) }
        inbox.removeAll()
        propose(now: now)
        raft.finishTurn(now: now, into: &effects)
        var outgoing: [Message] = []
        for effect in effects { carryOut(effect, outgoing: &outgoing) }
        effects.removeAll()
        applyCommitted()
        return outgoing
    }

    /// Asked right before each proposal: any input may have ended the leadership.
    private func propose(now: Nanoseconds) {
        for (request, command) in commands {
            if raft.acceptsProposals {
                raft.step(.propose(Array(command.utf8)), now: now, into: &effects)
                proposed[raft.lastIndex] = (request, raft.term)
            } else {
                answers[request] = .refused
            }
        }
        commands.removeAll()
    }

    private func carryOut(_ effect: Effect, outgoing: inout [Message]) {
        switch effect {
        case .send(let message): outgoing.append(message)
        case .persist(let batch): disk.write(batch)
        case .readReady(let read, let index): reads.append((read, index))
        case .readFailed(let read): answers[read] = .unknown
        case .leadershipChanged: break
        case .readSnapshotChunk(let peer, let mark, let offset):
            let file = disk.files[mark.index] ?? []
            let piece = file.dropFirst(Int(offset)).prefix(raft.settings.maxSnapshotChunkBytes)
            inbox.append(
                .snapshotChunkRead(
                    to: peer, mark: mark, offset: offset, bytes: Array(piece),
                    totalBytes: UInt64(file.count)))
        case .storeSnapshotChunk(let chunk): inbox.append(disk.store(chunk))
        case .restore(let mark):
            guard let file = disk.files[mark.index] else {
                preconditionFailure("the snapshot was complete a moment ago")
            }
            map = KeyValueMap(snapshot: file, at: mark.index)
            for (index, own) in proposed where index <= mark.index {
                proposed[index] = nil
                answers[own.request] = .unknown
            }
        case .takeSnapshot(let index): if map.appliedIndex >= index { takeSnapshot() }
        }
    }

    private func applyCommitted() {
        while map.appliedIndex < raft.appliableIndex {
            let entry = raft.entry(at: map.appliedIndex + 1)
            map.apply(entry)
            guard let own = proposed.removeValue(forKey: entry.index) else { continue }
            // An entry of another term in its place: what was proposed has never been committed.
            answers[own.request] = entry.term == own.term ? .done : .refused
        }
        // A read is linearizable once the map has reached the index that Raft named for it.
        for read in reads where read.index <= map.appliedIndex {
            answers[read.id] = .value(keys[read.id].flatMap { map.values[$0] })
        }
        reads.removeAll { $0.index <= map.appliedIndex }
    }

    func takeSnapshot() {
        guard map.appliedIndex > raft.snapshotMark.index else { return }
        let mark = raft.mark(at: map.appliedIndex)
        disk.put(map.snapshot, at: mark)
        inbox.append(.snapshotTaken(mark))
    }

    func crash() -> Disk {
        disk.crash()
        return disk
    }
}

/// The nodes, a wire between them that loses every twentieth message, and a clock.
final class Neighbourhood {
    private(set) var hosts: [NodeID: Host] = [:]
    private var wire: [Message] = []
    private var arrivals = 0
    private var now: Nanoseconds = 0
    private var starts: UInt64 = 0
    private var requests: UInt64 = 0

    func start(_ id: NodeID, disk: Disk = Disk()) {
        // Another seed for each start: elections must not tie, replies to an earlier life must not fit.
        starts += 1
        hosts[id] = Host(id, disk: disk, now: now, seed: starts)
    }

    func crash(_ id: NodeID) -> Disk? { hosts.removeValue(forKey: id)?.crash() }

    var leader: Host? {
        hosts.values.filter { $0.raft.role == .leader }.max { $0.raft.term < $1.raft.term }
    }

    /// A millisecond passes: messages arrive, disks sync, timers fire.
    func step() {
        now += 1_000_000
        let arriving = wire
        wire.removeAll()
        for message in arriving {
            arrivals += 1
            if arrivals % 20 != 0 { hosts[message.to]?.inbox.append(.receive(message)) }
        }
        for id in hosts.keys.sorted() { wire += hosts[id]?.turn(now: now) ?? [] }
    }

    /// False if it does not come true within ten seconds.
    func run(until holds: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            if holds() { return true }
            step()
        }
        return false
    }

    /// On whichever node leads. Tries again as long as it is certain that nothing has happened.
    func write(_ key: String, _ value: String) -> Answer {
        var answer = Answer.refused
        while answer == .refused, run(until: { leader?.raft.acceptsProposals == true }) {
            guard let host = leader else { continue }
            requests += 1
            host.write(key, value, request: requests)
            guard run(until: { host.answers[requests] != nil }) else { return .unknown }
            answer = host.answers[requests] ?? .unknown
        }
        return answer
    }

    /// A read changes nothing, so it is asked again until there is an answer; under another number each time.
    func read(_ key: String, on host: Host) -> Answer {
        var answer = Answer.unknown
        while answer == .unknown {
            requests += 1
            host.read(key, request: requests)
            guard run(until: { host.answers[requests] != nil }) else { break }
            answer = host.answers[requests] ?? .unknown
        }
        return answer
    }
}

/// Founds a cluster, writes, reads, loses the leader, takes a member in. Returns what happened.
func keyValueExample() -> [String] {
    var story: [String] = []
    func tell(_ line: String, _ isTrue: Bool) { story.append(isTrue ? line : "not: " + line) }
    let cluster = Neighbourhood()
    // The second half of an identity names the data directory: whoever lost that is somebody else.
    let ids = (1...4).map { NodeID("n\($0)", directory: UInt64(1000 + $0)) }
    for id in ids.prefix(3) { cluster.start(id) }
    cluster.hosts[ids[0]]?.inbox.append(.found(Array(ids.prefix(3))))
    tell("three nodes have a leader", cluster.run { cluster.leader != nil })

    tell("a value is written", cluster.write("colour", "green") == .done)
    let values = ids.prefix(3).compactMap { cluster.hosts[$0] }.map {
        cluster.read("colour", on: $0)
    }
    tell("and read on each of them", values == Array(repeating: .value("green"), count: 3))

    guard let lost = cluster.leader?.raft.id, let disk = cluster.crash(lost) else { return story }
    tell("the leader is lost, the others go on", cluster.write("colour", "blue") == .done)
    cluster.leader?.takeSnapshot()
    cluster.start(lost, disk: disk)
    tell("it comes back", cluster.run { cluster.hosts[lost]?.map.values["colour"] == "blue" })

    cluster.start(ids[3])
    cluster.leader?.inbox.append(.changeMembership(voters: ids))
    let hasJoined = cluster.run {
        cluster.hosts[ids[3]]?.raft.configuration == Configuration(voters: ids)
            && cluster.leader?.raft.isChangingMembership == false
    }
    tell("a fourth has joined", hasJoined)
    tell("a value is written again", cluster.write("shape", "round") == .done)
    let areEqual = cluster.run { Set(cluster.hosts.values.map(\.map.values)).count == 1 }
    tell("all have the same map", areEqual)
    return story
}
