/// A dictionary that may hold millions. A single one of that size would hold up the loop when it grows; this one grows by
/// a shard at a time, whose entries come out of one other (linear hashing: Litwin, 1980).
struct Shards<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var entriesPerShard: Int { 512 }

    private var shards: [[Key: Value]] = [[:]]
    /// The highest power of two that is not above the number of shards.
    private var base = 1
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// In no order.
    var keys: [Key] { shards.flatMap(\.keys) }

    subscript(key: Key) -> Value? {
        get { shards[shard(of: key)][key] }
        _modify {
            let shard = shard(of: key)
            let before = shards[shard].count
            defer { noteCount(before, of: shard) }
            yield &shards[shard][key]
        }
    }

    subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
        get { self[key] ?? value() }
        _modify {
            let shard = shard(of: key)
            let before = shards[shard].count
            defer { noteCount(before, of: shard) }
            yield &shards[shard][key, default: value()]
        }
    }

    /// Which shard an entry is in is nobody's business, so it may be another one in every process.
    private func shard(of key: Key) -> Int {
        guard shards.count > 1 else { return 0 }
        let hash = Int(UInt(bitPattern: key.hashValue) >> 1)
        let wide = hash & (2 * base - 1)
        return wide < shards.count ? wide : hash & (base - 1)
    }

    private mutating func noteCount(_ before: Int, of shard: Int) {
        count += shards[shard].count - before
        if count > shards.count * Self.entriesPerShard { split() }
    }

    /// Adds a shard, and moves there what belongs there now.
    private mutating func split() {
        let source = shards.count - base
        shards.append([:])
        let entries = shards[source]
        shards[source] = [:]
        for (key, value) in entries { shards[shard(of: key)][key] = value }
        if shards.count == 2 * base { base = shards.count }
    }
}
