/// Remembered idempotency keys in the order of their tasks, which is the order in which they are forgotten.
/// A place in the log is a number that never changes. In blocks, so that a copy is cheap to mutate.
struct KeyLog: Sendable {
    struct Entry: Equatable, Sendable {
        var key: KeyHash
        var task: TaskID
        /// Of handler and payload: the same key with others is a conflict.
        var fingerprint: UInt64
        var rememberedAt: Milliseconds
    }

    private static let blockSize = 1_024

    private var blocks: [[Entry]] = []
    /// Place of the first entry of the first block; a multiple of `blockSize`.
    private var base = 0
    /// Place of the oldest entry.
    private(set) var start = 0
    /// One behind the place of the newest entry.
    private(set) var end = 0

    var count: Int { end - start }

    subscript(place: Int) -> Entry {
        let offset = place - base
        return blocks[offset / Self.blockSize][offset % Self.blockSize]
    }

    var first: Entry? { count == 0 ? nil : self[start] }

    /// Returns the entry's place.
    mutating func append(_ entry: Entry) -> Int {
        if end - base == blocks.count * Self.blockSize {
            blocks.append([])
            blocks[blocks.count - 1].reserveCapacity(Self.blockSize)
        }
        blocks[blocks.count - 1].append(entry)
        end += 1
        return end - 1
    }

    mutating func removeFirst() {
        precondition(count > 0)
        start += 1
        if start - base == Self.blockSize {
            blocks.removeFirst()
            base += Self.blockSize
        }
    }
}

/// Finds places in a `KeyLog` by key. In shards, because a single large dictionary would hold up the loop when
/// it grows.
struct KeyIndex: Sendable {
    private var shards = [[KeyHash: Int]](repeating: [:], count: 1_024)

    subscript(key: KeyHash) -> Int? {
        get { shards[Int(key.high & 1_023)][key] }
        set { shards[Int(key.high & 1_023)][key] = newValue }
    }
}
