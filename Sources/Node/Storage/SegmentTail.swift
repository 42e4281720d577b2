/// Tells a torn write from damage, where a scan of a segment has stopped.
///
/// What a crash can leave behind. At most one write is ever unsynced: the log syncs before it writes
/// again, and a segment's space was zeroed and synced before its first use. So behind the last synced
/// byte each sector is either as written or still zero, in any combination, and everything before it is
/// as written. What the log promises in return:
///
/// - no sector part of a batch is all zero: headers and trailers open with a magic number, padding is not
///   zero, `PayloadMask` sees to the rest. A zero part therefore means "never arrived", and its absence
///   means "all arrived";
/// - each batch header says where its write began and ended, hence up to where the log was synced before;
/// - everything before a segment's seal was synced before the next segment was put in place.
///
/// X is where the scan stopped, "sector part" the bytes of one sector from X to the end of the batch. A
/// header counts as readable if it or its copy is.
///
/// | # | at X                        | besides                                   | verdict                 |
/// |---|-----------------------------|-------------------------------------------|-------------------------|
/// | 1 | anything                    | the next segment proves that X was synced | damage                  |
/// | 2 | zeros to the segment's end  |                                           | clean                   |
/// | 3 | anything                    | a later header whose write began behind X | damage: X was synced    |
/// | 4 | anything                    | not zero behind the write's end           | damage: not our write   |
/// | 5 | a whole batch, not the next |                                           | damage                  |
/// | 6 | readable header             | a sector part of the batch is zero        | torn                    |
/// | 7 | readable header             | none is                                   | damage: all had arrived |
/// | 8 | no readable header          | a sector part of its place is zero        | torn                    |
/// | 9 | no readable header          | none is                                   | damage: it had arrived  |
///
/// Row 4 applies when the end of the write is known, from any readable header of it. Whether the log can go
/// on behind damage `SegmentScan.bridge` decides; in front of it nothing is ever cut off.
///
/// What can't be told: a whole sector of the very last write that a disk acknowledged and lost looks like
/// one that never arrived. The log therefore writes an empty batch whenever it is opened or closed, which
/// proves what came before, and every write proves the one before it.
enum SegmentTail: Equatable {
    case clean
    /// Zeros belong into `range`, which begins at X.
    case torn(Range<Int>)
    case damaged(problem: String)

    /// `provenBy` is the number of a later segment that shows that X was synced.
    init(after scan: SegmentScan, fault: SegmentScan.Fault, provenBy segment: UInt64?) {
        let image = scan.image
        let start = scan.position
        if let segment {
            self = .damaged(
                problem: "\(fault.problem), although segment \(segment) shows that the log went on")
            return
        }
        if image.isZero(start..<scan.limit) {
            self = .clean
            return
        }
        let end = image.endOfNonZero(in: start..<scan.limit)
        var known = fault.header
        var writeEnd = scan.writeEnd > start ? scan.writeEnd : nil
        if let known { writeEnd = max(writeEnd ?? 0, known.writeEnd) }

        // All records are multiples of eight bytes long, so a header can only stand at every eighth.
        var offset = start + 8
        while offset + BatchHeader.bytes <= end {
            if let header = scan.header(at: offset) {
                guard header.writeStart <= start else {
                    self = .damaged(
                        problem:
                            "\(fault.problem), although the batch at byte \(header.offset) was "
                            + "written when everything before byte \(header.writeStart) was synced")
                    return
                }
                writeEnd = max(writeEnd ?? 0, header.writeEnd)
                if header.offset == start { known = header }
            }
            offset += 8
        }
        if let writeEnd, end > writeEnd {
            self = .damaged(
                problem: "\(fault.problem), and there are bytes behind byte \(writeEnd), "
                    + "where the last write ended")
            return
        }
        if fault.isMisplaced {
            self = .damaged(problem: fault.problem)
            return
        }
        let extent = known.map { min($0.totalBytes, scan.limit - start) } ?? BatchHeader.bytes
        if Self.hasZeroSectorPart(scan, from: start, bytes: extent, isExact: known != nil) {
            self = .torn(start..<max(end, start))
        } else {
            self = .damaged(
                problem: "\(fault.problem), although every sector of it reached the disk")
        }
    }

    /// `isExact`: the batch ends behind these bytes; else the last sector counts up to its end, because
    /// it belongs to the batch or to one behind it.
    private static func hasZeroSectorPart(
        _ scan: SegmentScan, from start: Int, bytes: Int, isExact: Bool
    ) -> Bool {
        let end = min(start + bytes, scan.limit)
        var offset = start
        while offset < end {
            let sectorEnd =
                (offset / StorageLimits.sectorBytes + 1) * StorageLimits.sectorBytes
            let partEnd = min(isExact ? min(sectorEnd, end) : sectorEnd, scan.limit)
            if scan.image.isZero(offset..<partEnd) { return true }
            offset = partEnd
        }
        return false
    }
}
