import Raft

/// One member: the core, its disk, and a state machine that is a hash of what was applied.
final class TestNode {
    let id: NodeID
    var raft: Raft
    var disk: TestDisk
    var isUp = true
    /// Rises with each restart; what was under way for an earlier run is lost.
    var run = 0
    /// With a held disk, batches wait for `Cluster.sync`.
    var isDiskHeld = false
    var appliedIndex: Index = 0
    var appliedHash: UInt64 = 0
    var appliedCommands: [String] = []
    var readAnswers: [ReadID: ReadAnswer] = [:]
    /// What waits for the next turn of its loop.
    var inbox: [Input] = []
    /// How much faster than true time its clock runs, in parts per million.
    var driftPPM: Int64 = 0

    init(id: NodeID, raft: Raft, disk: TestDisk) {
        self.id = id
        self.raft = raft
        self.disk = disk
    }

    enum ReadAnswer: Equatable {
        case ready(Index)
        case failed
    }

    var log: String { raft.logText }

    /// What its clock shows. All clocks agree when a cluster begins.
    func clock(at now: Nanoseconds) -> Nanoseconds {
        let gained = Int64(now - Cluster.begin) / 1_000 * driftPPM / 1_000
        return Nanoseconds(Int64(now) + gained)
    }

    /// A true time at which its clock has reached `reading`, and has hardly gone beyond.
    func time(of reading: Nanoseconds) -> Nanoseconds {
        guard driftPPM != 0, reading > Cluster.begin, reading < 1 << 43 else { return reading }
        let rate = UInt64(1_000_000 + driftPPM)
        return Cluster.begin + (reading - Cluster.begin) * 1_000_000 / rate + 2_000
    }

    /// The file of a snapshot: the hash, again and again, so that it takes several chunks.
    func snapshotFile(sizeBytes: Int) -> TestDisk.File {
        var bytes: [UInt8] = []
        while bytes.count < sizeBytes {
            withUnsafeBytes(of: appliedHash.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return TestDisk.File(mark: raft.mark(at: appliedIndex), bytes: bytes)
    }

    func restore(_ mark: SnapshotMark) {
        guard let file = disk.files[mark.index], file.mark == mark else {
            preconditionFailure("restore of a snapshot that is not there")
        }
        appliedIndex = mark.index
        appliedHash = file.bytes.prefix(8).enumerated().reduce(0) { sum, byte in
            sum | UInt64(byte.element) << UInt64(8 * byte.offset)
        }
        appliedCommands = ["…\(mark.index)"]
    }

    func apply(_ entry: Entry) {
        precondition(entry.index == appliedIndex + 1)
        appliedIndex = entry.index
        appliedHash = hash(appliedHash, entry)
        if case .command(let bytes) = entry.payload {
            appliedCommands.append(String(decoding: bytes, as: UTF8.self))
        }
    }
}

/// FNV-1a over what makes an entry.
private func hash(_ seed: UInt64, _ entry: Entry) -> UInt64 {
    var value = seed ^ 0xcbf2_9ce4_8422_2325
    func mix(_ word: UInt64) -> UInt64 { (value ^ word) &* 0x100_0000_01b3 }
    value = mix(entry.index)
    value = mix(entry.term)
    switch entry.payload {
    case .noop: value = mix(1)
    case .lost: preconditionFailure("a lost entry has no content")
    case .command(let bytes): for byte in bytes { value = mix(UInt64(byte)) }
    case .configuration(let configuration): value = mix(UInt64(configuration.members.count))
    }
    return value
}

extension Raft {
    /// The terms along the log, such as "1 1 4 4"; what a snapshot covers is "(3)".
    var logText: String {
        let prefix = firstIndex > 1 ? ["(\(firstIndex - 1))"] : []
        let terms = entries(from: firstIndex, through: lastIndex).map { "\($0.term)" }
        return (prefix + terms).joined(separator: " ")
    }
}

extension Recovered {
    /// A log with commands of these terms, from index 1 on.
    init(
        voters: [NodeID], learners: [NodeID] = [], terms: [Term] = [], term: Term? = nil,
        vote: NodeID? = nil
    ) {
        self.init(
            hardState: HardState(term: term ?? terms.last ?? 0, vote: vote),
            snapshot: SnapshotMark(
                index: 0, term: 0,
                configuration: Configuration(voters: voters, learners: learners)),
            entries: terms.enumerated().map { offset, term in
                Entry(
                    index: UInt64(offset) + 1, term: term,
                    payload: .command(Array("t\(term)i\(offset + 1)".utf8)))
            })
    }
}
