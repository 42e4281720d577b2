import Node

/// Damage to what is on the platter, found by whoever reads it next.
///
/// One kind is left out, because no log can tell it from honesty: a sector of a log's last write that was synced and
/// never arrived looks like one whose sync the crash prevented. So the sectors of a segment's last sync may rot, but
/// not get lost or be written over; every later write proves the one before it (`SegmentTail`).
extension SimulatedDisk.State {
    /// Places that are tried before the disk stays as it is.
    private static let maxAttempts = 20
    /// A page of the kernel's, or a physical sector of most disks.
    private static let sectorsOfAPage = 8

    mutating func damage(_ fault: DiskFault, where isTarget: (String) -> Bool) -> String? {
        let targets = tree.files(in: 0).filter { isTarget($0.name) }
        guard let last = targets.last else { return nil }
        for _ in 0..<Self.maxAttempts {
            // Names rise: the last segment, or snapshot, is the one that counts most.
            let target = random.chance(permille: 500) ? last : random.pick(targets)
            guard let offset = place(in: target.number),
                strike(fault, target.number, at: offset, from: random.pick(targets).number)
            else { continue }
            strikes[fault, default: 0] += 1
            return "\(fault.name) in \(target.name) at byte \(offset)"
        }
        return nil
    }

    /// Mostly where something is written, and often near the end of that: a segment's rest is zeros.
    private mutating func place(in number: Int) -> Int? {
        guard let file = files[number], !file.bytes.isEmpty else { return nil }
        let written = file.writtenSectors
        guard !written.isEmpty, random.chance(permille: 950) else {
            return random.index(file.bytes.count)
        }
        let isNearEnd = random.chance(permille: 500)
        let sector = random.pick(isNearEnd ? Array(written.suffix(6)) : written)
        return min(
            sector * SectorFile.sectorBytes + random.index(SectorFile.sectorBytes),
            file.bytes.count - 1)
    }

    private mutating func strike(
        _ fault: DiskFault, _ number: Int, at offset: Int, from source: Int
    ) -> Bool {
        let sector = offset / SectorFile.sectorBytes
        switch fault {
        case .bitRot: return flipBits(of: number, at: offset)
        case .lostWrite: return loseWrite(of: number, sector)
        case .misdirectedWrite: return misdirect(from: source, to: number, sector)
        case .writeError, .syncError, .noSpace, .wipe:
            preconditionFailure("\(fault) is no damage to a place")
        }
    }

    /// One bit, or a few of the same sector.
    private mutating func flipBits(of number: Int, at offset: Int) -> Bool {
        let sectorStart = offset / SectorFile.sectorBytes * SectorFile.sectorBytes
        guard files[number]?.flipBit(at: offset, bit: random.index(8)) ?? false else {
            return false
        }
        for _ in 0..<random.pick([0, 0, 0, 1, 7]) {
            let other = sectorStart + random.index(SectorFile.sectorBytes)
            guard other != offset else { continue }
            _ = files[number]?.flipBit(at: other, bit: random.index(8))
        }
        return true
    }

    private mutating func loseWrite(of number: Int, _ sector: Int) -> Bool {
        var sectors = sector..<sector + 1
        if random.chance(permille: 200) {
            let first = sector / Self.sectorsOfAPage * Self.sectorsOfAPage
            sectors = first..<first + Self.sectorsOfAPage
        }
        guard !spared(number).contains(where: sectors.contains) else { return false }
        var isLost = false
        for sector in sectors where files[number]?.revert(sector: sector) ?? false { isLost = true }
        return isLost
    }

    /// What belongs into another place stands here; sometimes it is missing there, too.
    private mutating func misdirect(from source: Int, to number: Int, _ sector: Int) -> Bool {
        guard let sourceFile = files[source], !sourceFile.writtenSectors.isEmpty else {
            return false
        }
        let from = random.pick(sourceFile.writtenSectors)
        guard let content = sourceFile.content(ofSector: from),
            !spared(number).contains(sector),
            files[number]?.overwrite(sector: sector, with: content) ?? false
        else { return false }
        if random.chance(permille: 300), !spared(source).contains(from) {
            _ = files[source]?.revert(sector: from)
        }
        return true
    }

    /// Only its sync vouches for a log's last write.
    private func spared(_ number: Int) -> [Int] {
        let isSegment = tree.files(in: 0).contains {
            $0.number == number && $0.name.contains("/segment-")
        }
        return isSegment ? files[number]?.lastSynced ?? [] : []
    }
}
