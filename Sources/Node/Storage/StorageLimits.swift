/// Limits of what storage writes and reads back.
enum StorageLimits {
    /// The size of a log segment that is made ahead. One batch may need a larger one; a log that can't wait gets smaller
    /// ones.
    static let segmentBytes = 16 << 20
    static let minSegmentBytes = 16 << 10
    /// The size of one that is made on the spot because no spare is ready, as in a new log.
    static let smallSegmentBytes = 1 << 20
    /// A sector is what a disk writes wholly or not at all; torn writes are judged by it.
    static let sectorBytes = 512

    /// How far apart the copies of what can't be fetched from a peer stand: disks lose what they call a
    /// sector inside, not what they call one outside.
    static let copyDistanceBytes = 4 << 10

    /// What can't be read is looked for in blocks of this size: a page, of which the kernel reads all or nothing.
    static let readBlockBytes = 4 << 10
    /// In one segment.
    static let maxUnreadableBlocks = 64
    /// Stands for what can't be read. Neither zero nor padding, which would say something.
    static let unreadableByte: UInt8 = 0xBD

    static let maxEntryPayloadBytes = 16 << 20
    /// One atomic batch, encoded.
    static let maxBatchBytes = 256 << 20
    /// What one write gathers before it is synced; a larger batch goes alone. Whoever shares the disk waits behind it,
    /// and so does the acknowledgement of its first batch.
    static let maxGroupBytes = 1 << 20
    /// A payload from this size on is written from its own array instead of being copied.
    static let minUncopiedPayloadBytes = 64 << 10
    /// Snapshots held open for peers that receive them: more than there are other members.
    static let maxSnapshotsSent = 8
    /// One of them is closed when nobody has read from it while so many newer ones were taken.
    static let maxUnreadSnapshotAge = 4
    /// Hard state, mark and configuration at the beginning of a segment.
    static let maxSegmentHeaderBytes = 256 << 10
    /// Segments that are kept for use again, zeroed or waiting for it: as many as a snapshot sets free, unless a flood
    /// came before it. To free the room of a file and find it again takes far longer than to write it once more.
    static let maxSpareSegments = 8
    /// Zeros are written and synced in steps of this size, so that no sync waits behind a whole segment.
    static let zeroingStepBytes = 1 << 20
    /// Of a spare, which has time.
    static let spareStepBytes = 256 << 10
    /// After each step of a spare or snapshot, and after each segment set free if few are, its thread rests for this many times as
    /// long as that took: it takes no more than a quarter of a disk or processor that others need at this very moment.
    static let backgroundRestFactor: UInt64 = 3
    static let maxBackgroundRestNanoseconds: UInt64 = 250_000_000

    static func backgroundRestNanoseconds(after taken: UInt64) -> UInt64 {
        min(
            backgroundRestFactor * min(taken, maxBackgroundRestNanoseconds),
            maxBackgroundRestNanoseconds)
    }

    static let snapshotBlockBytes = 1 << 20
    /// A snapshot is synced in steps of this size while it is written, so that its end does not fill the
    /// disk's queue in front of the log's next sync.
    static let snapshotSyncStepBytes = 8 << 20
    static let maxSnapshotHeaderBytes = 256 << 10
    static let maxSnapshotBytes: UInt64 = 64 << 30
    static let maxSnapshotChunkBytes = 4 << 20
    static let maxIdentityBytes = 4 << 10
}
