import Raft

/// What a batch, or the place of batches that are damaged, says for the log.
struct ScannedBatch: Equatable {
    /// How far the log goes with it.
    enum Extent: Equatable {
        /// So many entries behind where its facts leave the log.
        case entries(Int)
        case through(Index)
    }

    /// The log's last entry before it; nil if the batch's header is not known.
    var lastIndex: Index?
    /// Hard state, mark, truncation and starts of terms, in the order they take effect in.
    var facts: [LogRecord] = []
    /// The entries that are there, in order. One whose payload is damaged may stand there as lost or be
    /// left out: `extent` decides how many there were.
    var entries: [Entry] = []
    var extent: Extent
    /// Nothing follows in the segment.
    var isLast = false
    /// nil: as it was written.
    var problem: String?

    init(_ header: BatchHeader) {
        lastIndex = header.lastIndex
        isLast = header.isSeal
        extent = .entries(header.entryCount)
    }

    /// Batches that held nothing but entries up to `index`.
    init(through index: Index) {
        extent = .through(index)
    }
}
