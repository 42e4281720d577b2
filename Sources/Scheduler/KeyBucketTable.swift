/// How many starts the values of keys have left: those that are not full, for a full bucket is like none. In parts,
/// so that after a copy a mutation copies one of them.
struct KeyBucketTable: Sendable {
    struct Entry: Equatable, Sendable {
        var queue: UInt32
        var rate: RateLimit
        var bucket: TokenBucket

        /// When something happens by itself: there is a token, or the bucket is full and dropped.
        var wakeAt: Milliseconds {
            bucket.opensAt ?? min(Wakes.housekeeping(after: bucket.fullAt(rate)), Limits.maxTime)
        }
    }

    private static let partCount = 256

    /// By the number of the key's value (`KeyGates.Gate`).
    private var parts = [[UInt64: Entry]](repeating: [:], count: partCount)
    private(set) var count = 0

    init() {}

    subscript(gate: UInt64) -> Entry? {
        get { parts[Int(gate % UInt64(Self.partCount))][gate] }
        set {
            let part = Int(gate % UInt64(Self.partCount))
            let old = parts[part][gate]
            parts[part][gate] = newValue
            count += (newValue == nil ? 0 : 1) - (old == nil ? 0 : 1)
        }
    }

    /// Ascending.
    var gates: [UInt64] { parts.flatMap { Array($0.keys) }.sorted() }

    /// The rules of the queue are other ones now.
    mutating func removeAll(of queue: UInt32) {
        for gate in gates where self[gate]?.queue == queue { self[gate] = nil }
    }
}

/// ```
/// key buckets  count u32 · (gate u64 · queue u32 · rate: count u32 · period i64 · burst u32
///              · units i64 · refilledAt i64 · opensAt (bool · i64))…, by gate
/// ```
extension KeyBucketTable {
    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(count))
        for gate in gates {
            guard let entry = self[gate] else { continue }
            writer.put(gate)
            writer.put(entry.queue)
            entry.rate.encode(into: &writer)
            entry.bucket.encode(into: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init()
        var last: UInt64?
        for _ in 0..<(try reader.count(minimumBytes: 45)) {
            let gate = try reader.uint64()
            guard last.map({ $0 < gate }) ?? true else {
                throw CodecError("buckets of keys are not in order")
            }
            last = gate
            let queue = try reader.uint32()
            let rate = try RateLimit(from: &reader)
            self[gate] = Entry(
                queue: queue, rate: rate, bucket: try TokenBucket(rate, from: &reader))
        }
    }
}
