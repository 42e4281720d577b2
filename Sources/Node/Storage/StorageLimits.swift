/// Limits of what storage writes and reads back.
enum StorageLimits {
    /// The size of a log segment, unless one batch needs more.
    static let segmentBytes = 16 << 20
    static let minSegmentBytes = 16 << 10
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
    /// What one write gathers before it is synced; a larger batch goes alone.
    static let maxGroupBytes = 8 << 20
    /// A payload from this size on is written from its own array instead of being copied.
    static let minUncopiedPayloadBytes = 64 << 10
    /// Hard state, mark and configuration at the beginning of a segment.
    static let maxSegmentHeaderBytes = 256 << 10
    /// Segments that are kept for use again, zeroed or waiting for it.
    static let maxSpareSegments = 3
    /// Zeros are written and synced in steps of this size, so that the log's own sync never waits
    /// behind a whole segment.
    static let zeroingStepBytes = 1 << 20

    static let snapshotBlockBytes = 1 << 20
    /// A snapshot is synced in steps of this size while it is written, so that its end does not fill the
    /// disk's queue in front of the log's next sync.
    static let snapshotSyncStepBytes = 8 << 20
    static let maxSnapshotHeaderBytes = 256 << 10
    static let maxSnapshotBytes: UInt64 = 64 << 30
    static let maxSnapshotChunkBytes = 4 << 20
    static let maxIdentityBytes = 4 << 10
}
