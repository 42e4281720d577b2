/// The bytes of a file: as reading shows them, which is the kernel's cache, and as they are on the platter, in
/// sectors that are each written wholly or not at all.
///
/// Only where the two differ the platter's sector is kept, so that a write costs what it writes. Beside that stands
/// what each sector held before its last sync, for a disk that only says that it has written.
struct SectorFile {
    static let sectorBytes = 512

    /// What reading shows.
    private(set) var bytes: [UInt8] = []
    /// The size on the platter.
    private(set) var durableBytes = 0
    /// By sector: the position in `differing`, or -1 where cache and platter agree.
    private var slots: [Int32] = []
    private var differing: [Difference] = []
    /// The platter's content of the sectors in `differing` that have any, one behind the other.
    private var saved: [UInt8] = []
    /// What the platter held before the last sync of each sector; as long as that reaches.
    private var former: [UInt8] = []
    /// The sectors that the last sync brought to the platter.
    private(set) var lastSynced: [Int] = []

    private struct Difference {
        var sector: Int
        /// Where in `saved`; nil: the platter has nothing there, as in a file that grows.
        var savedAt: Int?
        /// The kernel has given up on it, or was told that it is written: no sync will write it.
        var isForsaken = false
    }

    /// Nothing waits for a sync.
    var isSynced: Bool {
        durableBytes == bytes.count && differing.allSatisfy(\.isForsaken)
    }

    /// The range must not reach behind the end of `source`.
    mutating func write(_ source: [UInt8], _ range: Range<Int>, at offset: Int) {
        guard !range.isEmpty else { return }
        let end = offset + range.count
        if offset > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: offset - bytes.count))
        }
        for sector in offset / Self.sectorBytes...(end - 1) / Self.sectorBytes { touch(sector) }
        bytes.replaceSubrange(offset..<min(end, bytes.count), with: source[range])
    }

    func read(count: Int, at offset: Int) -> [UInt8] {
        guard offset < bytes.count else { return [] }
        return Array(bytes[offset..<min(offset + count, bytes.count)])
    }

    mutating func truncate(toBytes count: Int) {
        guard count < bytes.count else {
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
            return
        }
        for sector in count / Self.sectorBytes...(bytes.count - 1) / Self.sectorBytes {
            touch(sector)
        }
        bytes.removeLast(bytes.count - count)
    }

    /// Everything that is not forsaken reaches the platter.
    mutating func sync() {
        durableBytes = bytes.count
        keepFormer()
        guard differing.contains(where: \.isForsaken) else {
            for difference in differing { slots[difference.sector] = -1 }
            differing.removeAll(keepingCapacity: true)
            saved.removeAll(keepingCapacity: true)
            return
        }
        keepDifferences { $0.isForsaken }
    }

    /// The sectors waiting for a sync are taken for written and are not.
    mutating func forsake() {
        for position in differing.indices { differing[position].isForsaken = true }
    }

    /// The machine loses power. Each waiting sector is on the platter with this chance, and so is the size.
    mutating func losePower(survivalPermille: Int, _ random: inout RandomSource) {
        let cached = bytes.count
        if bytes.count < durableBytes {
            bytes.append(contentsOf: repeatElement(0, count: durableBytes - bytes.count))
        }
        for difference in differing {
            let survives = !difference.isForsaken && random.chance(permille: survivalPermille)
            if !survives { putBack(difference) }
            slots[difference.sector] = -1
        }
        differing.removeAll()
        saved.removeAll()
        let size: Int
        if cached == durableBytes || random.chance(permille: survivalPermille) {
            size = cached
        } else if cached > durableBytes, random.chance(permille: 500) {
            size = durableBytes + random.index(cached - durableBytes)
        } else {
            size = durableBytes
        }
        bytes.removeLast(bytes.count - size)
        durableBytes = bytes.count
    }

    /// The kernel lets go of cached pages that it takes for clean, and reads them anew.
    mutating func dropCache() {
        for difference in differing where difference.isForsaken { putBack(difference) }
        keepDifferences { !$0.isForsaken }
    }

    /// Flips one bit on the platter, and in the cache with it. False if the sector waits for a sync: it
    /// would be written over.
    mutating func flipBit(at offset: Int, bit: Int) -> Bool {
        guard offset < bytes.count, slot(of: offset / Self.sectorBytes) < 0 else { return false }
        bytes[offset] ^= 1 << UInt8(bit)
        return true
    }

    /// What is on the platter in a sector, and in the cache as well; nil if it waits for a sync.
    func content(ofSector sector: Int) -> [UInt8]? {
        let start = sector * Self.sectorBytes
        guard start < bytes.count, slot(of: sector) < 0 else { return nil }
        return read(count: Self.sectorBytes, at: start)
    }

    /// Puts other bytes into a sector, on the platter and in the cache; what stood there is gone. False if that changes
    /// nothing, or the sector waits for a sync.
    mutating func overwrite(sector: Int, with content: [UInt8]) -> Bool {
        guard let present = self.content(ofSector: sector) else { return false }
        let replacement = content.prefix(present.count)
        guard !present.starts(with: replacement) else { return false }
        let start = sector * Self.sectorBytes
        bytes.replaceSubrange(start..<start + replacement.count, with: replacement)
        return true
    }

    /// The last write of a sector never reached the platter, though it was synced. False if that changes nothing.
    mutating func revert(sector: Int) -> Bool {
        let start = sector * Self.sectorBytes
        guard start < former.count else { return false }
        return overwrite(
            sector: sector, with: Array(former[start..<min(start + Self.sectorBytes, former.count)])
        )
    }

    /// Those that hold anything but zeros.
    var writtenSectors: [Int] {
        (0..<sectorCount).filter { sector in
            let start = sector * Self.sectorBytes
            return bytes[start..<min(start + Self.sectorBytes, bytes.count)].contains { $0 != 0 }
        }
    }

    var sectorCount: Int { (bytes.count + Self.sectorBytes - 1) / Self.sectorBytes }

    private mutating func keepFormer() {
        let synced = differing.filter { !$0.isForsaken }
        guard !synced.isEmpty else { return }
        lastSynced = synced.map(\.sector)
        let knownBytes = former.count
        if former.count < bytes.count {
            former.append(contentsOf: repeatElement(0, count: bytes.count - former.count))
        }
        // Zeros are there already behind what was known.
        for difference in synced
        where difference.savedAt != nil || difference.sector * Self.sectorBytes < knownBytes {
            Self.copy(difference, of: saved, to: &former)
        }
    }

    private func slot(of sector: Int) -> Int32 { sector < slots.count ? slots[sector] : -1 }

    /// To be called before a sector changes.
    private mutating func touch(_ sector: Int) {
        if sector >= slots.count {
            slots.append(contentsOf: repeatElement(-1, count: sector + 1 - slots.count))
        }
        guard slots[sector] < 0 else {
            differing[Int(slots[sector])].isForsaken = false
            return
        }
        slots[sector] = Int32(differing.count)
        let start = sector * Self.sectorBytes
        let end = min(start + Self.sectorBytes, durableBytes, bytes.count)
        guard start < end else {
            differing.append(Difference(sector: sector))
            return
        }
        differing.append(Difference(sector: sector, savedAt: saved.count))
        saved.append(contentsOf: bytes[start..<end])
        saved.append(contentsOf: repeatElement(0, count: start + Self.sectorBytes - end))
    }

    private mutating func putBack(_ difference: Difference) {
        Self.copy(difference, of: saved, to: &bytes)
    }

    /// Puts what the platter has of the sector into its place in `target`, as far as that reaches.
    private static func copy(
        _ difference: Difference, of saved: [UInt8], to target: inout [UInt8]
    ) {
        let start = difference.sector * sectorBytes
        let count = min(sectorBytes, target.count - start)
        guard count > 0 else { return }
        if let source = difference.savedAt {
            target.replaceSubrange(start..<start + count, with: saved[source..<source + count])
        } else {
            target.replaceSubrange(start..<start + count, with: repeatElement(0, count: count))
        }
    }

    private mutating func keepDifferences(_ isKept: (Difference) -> Bool) {
        var kept: [Difference] = []
        var keptBytes: [UInt8] = []
        for var difference in differing {
            guard isKept(difference) else {
                slots[difference.sector] = -1
                continue
            }
            if let start = difference.savedAt {
                difference.savedAt = keptBytes.count
                keptBytes += saved[start..<start + Self.sectorBytes]
            }
            slots[difference.sector] = Int32(kept.count)
            kept.append(difference)
        }
        differing = kept
        saved = keptBytes
    }
}
