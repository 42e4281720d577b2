import Raft
import Scheduler

/// Checks a snapshot file while it arrives, so that a bad byte is found when its block ends and not when
/// the whole file is there.
struct SnapshotVerifier {
    /// Everything before is as it was written, and nothing behind needs it again.
    private(set) var verifiedOffset = 0
    private(set) var isComplete = false
    private let name: SnapshotName
    /// nil: whoever fetches the file does not know it.
    private let configuration: Configuration?
    private let footerOffset: Int
    private var headerChecksum: UInt32 = 0
    private var totals = SnapshotFormat.Totals()
    /// Bytes from `verifiedOffset` on; at most one part of the file.
    private var waiting: [UInt8] = []

    init(mark: SnapshotMark, totalBytes: Int) {
        self.init(SnapshotName(mark), mark.configuration, totalBytes: totalBytes)
    }

    init(name: SnapshotName, totalBytes: Int) {
        self.init(name, nil, totalBytes: totalBytes)
    }

    private init(_ name: SnapshotName, _ configuration: Configuration?, totalBytes: Int) {
        self.name = name
        self.configuration = configuration
        footerOffset = totalBytes - SnapshotFormat.footerBytes
    }

    /// Takes the bytes that follow those it has. Throws what is wrong with the part behind
    /// `verifiedOffset`; it then wants the bytes from there on once more.
    mutating func take(_ bytes: [UInt8]) throws(CodecError) {
        waiting.append(contentsOf: bytes)
        do throws(CodecError) {
            while let count = try partBytes(), waiting.count >= count {
                try check(Array(waiting[..<count]))
                waiting.removeFirst(count)
                verifiedOffset += count
            }
        } catch {
            waiting.removeAll()
            throw error
        }
    }

    /// Bytes of the part that begins at `verifiedOffset`; nil if too few are there to tell.
    private func partBytes() throws(CodecError) -> Int? {
        if isComplete {
            guard waiting.isEmpty else { throw CodecError("there are bytes behind the end") }
            return nil
        }
        if verifiedOffset == footerOffset { return SnapshotFormat.footerBytes }
        guard verifiedOffset > 0 else {
            guard waiting.count >= 16 else { return nil }
            let bytes = Int(SegmentImage(bytes: waiting).word(at: 8) >> 32)
            guard bytes <= min(footerOffset, StorageLimits.maxSnapshotHeaderBytes) else {
                throw CodecError("the header announces \(bytes) bytes")
            }
            return max(bytes, 40)
        }
        return SnapshotFormat.blockBytes(at: verifiedOffset, before: footerOffset)
    }

    private mutating func check(_ part: [UInt8]) throws(CodecError) {
        if verifiedOffset == footerOffset {
            guard part == SnapshotFormat.footer(totals, headerChecksum: headerChecksum) else {
                throw CodecError("the footer does not match what stands before it")
            }
            isComplete = true
        } else if verifiedOffset == 0 {
            let header = try SnapshotFormat.mark(fromHeader: part)
            guard SnapshotName(header.mark) == name,
                configuration == nil || configuration == header.mark.configuration
            else {
                throw CodecError("the file is a snapshot of index \(header.mark.index)")
            }
            headerChecksum = header.checksum
        } else {
            let checksum = try SnapshotFormat.check(
                block: part, number: totals.blocks, headerChecksum: headerChecksum)
            totals.add(bytes: part.count - SnapshotFormat.blockHeaderBytes, checksum: checksum)
        }
    }
}
