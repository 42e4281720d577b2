import Raft

/// What a batch takes in a segment, and where its parts go (see `BatchHeader`).
struct BatchLayout {
    /// Everything a batch says but for its entries, as a record.
    struct Fact {
        var kind: RecordKind
        var index: Index
        var term: Term
        var payload: [UInt8]
    }

    /// The log's last entry before the batch.
    let lastIndex: Index
    /// In the order they take effect in.
    let facts: [Fact]
    let factBytes: Int
    let entryCount: Int
    let entryBytes: Int
    let isSeal: Bool
    let isMirrored: Bool

    /// `batch` follows a log that amounts to `state`.
    init(of batch: Batch, after state: LogState) {
        let facts = Self.facts(of: batch, after: state)
        self.facts = facts
        lastIndex = state.lastIndex
        factBytes = facts.reduce(0) {
            $0 + RecordHeader.totalBytes(payloadBytes: $1.payload.count)
        }
        entryCount = batch.entries.count
        entryBytes = batch.entries.reduce(0) { sum, entry in
            let payloadBytes =
                switch entry.payload {
                case .noop, .lost: 0
                case .command(let bytes): bytes.count
                case .configuration(let configuration): RecordCodec.encode(configuration).count
                }
            return sum + RecordHeader.totalBytes(payloadBytes: payloadBytes)
        }
        isSeal = false
        isMirrored = !facts.isEmpty
    }

    /// An empty batch.
    private init(lastIndex: Index, isSeal: Bool, isMirrored: Bool) {
        self.lastIndex = lastIndex
        facts = []
        factBytes = 0
        entryCount = 0
        entryBytes = 0
        self.isSeal = isSeal
        self.isMirrored = isMirrored
    }

    /// Ends a segment. What its loss would hide stands in the header of the next segment.
    static func seal(lastIndex: Index) -> BatchLayout {
        BatchLayout(lastIndex: lastIndex, isSeal: true, isMirrored: false)
    }

    /// Proves that everything before it had been synced.
    static func marker(lastIndex: Index) -> BatchLayout {
        BatchLayout(lastIndex: lastIndex, isSeal: false, isMirrored: true)
    }

    /// A batch that says nothing is not written.
    var isEmpty: Bool { facts.isEmpty && entryCount == 0 && !isSeal && !isMirrored }

    var paddingBytes: Int {
        isMirrored ? max(0, StorageLimits.copyDistanceBytes - entryBytes) : 0
    }

    var bodyBytes: Int {
        isMirrored ? 2 * factBytes + entryBytes + paddingBytes + BatchHeader.bytes : entryBytes
    }

    var totalBytes: Int {
        isEmpty ? 0 : BatchHeader.bytes + bodyBytes + BatchHeader.trailerBytes
    }

    private static func facts(of batch: Batch, after state: LogState) -> [Fact] {
        var facts: [Fact] = []
        var after = state
        if let hardState = batch.hardState {
            facts.append(
                Fact(
                    kind: .hardState, index: 0, term: hardState.term,
                    payload: RecordCodec.encode(hardState)))
        }
        if let mark = batch.snapshot {
            after.move(to: mark, resetsLog: batch.resetsLog)
            facts.append(
                Fact(
                    kind: .snapshot, index: mark.index, term: mark.term,
                    payload: RecordCodec.encode(mark, resetsLog: batch.resetsLog)))
        }
        if let from = batch.truncateFrom {
            after.cut(from: from)
            facts.append(Fact(kind: .truncate, index: from, term: 0, payload: []))
        }
        var term = after.lastTerm
        for entry in batch.entries where entry.term != term {
            term = entry.term
            facts.append(Fact(kind: .termStart, index: entry.index, term: term, payload: []))
        }
        return facts
    }
}
