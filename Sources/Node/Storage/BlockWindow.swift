/// The part of a file that stands in a buffer: the last block that was written, and what comes behind it. `DirectFile` writes it.
struct BlockWindow {
    /// Memory, offsets and lengths of direct writes are multiples of this. Disks ask for their sector's size, 512 or 4,096 bytes.
    static let blockBytes = 4_096

    let buffer: AlignedBuffer
    /// Where the buffer's first byte belongs; a multiple of a block.
    private var start = 0
    /// From here on the buffer has what belongs there.
    private var knownFrom = 0
    /// From here on the system has not got it yet.
    private var pendingFrom = 0
    /// Up to here.
    private(set) var end = 0
    /// Between `end` and here the file has only zeros.
    private var zerosEnd: Int
    /// Else `end` says nothing of the file.
    private var hasWritten = false

    init(buffer: AlignedBuffer, zerosEnd: Int) {
        self.buffer = buffer
        self.zerosEnd = zerosEnd
    }

    var hasPending: Bool { pendingFrom < end }

    mutating func forgetZeros() { zerosEnd = 0 }

    /// What comes next goes to `offset`. Nothing is pending.
    mutating func begin(at offset: Int) {
        if offset < end { zerosEnd = 0 }
        start = Self.blockStart(of: offset)
        // Then the block's beginning is zero.
        let isKnown = hasWritten && start >= end && offset <= zerosEnd
        if isKnown { buffer.clear(0..<offset - start) }
        knownFrom = isKnown ? start : offset
        (pendingFrom, end) = (offset, offset)
    }

    /// Takes as many of the bytes as there is room for, and returns how many.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, AlignedBuffer.bytes - (end - start))
        buffer.copy(UnsafeRawBufferPointer(rebasing: bytes[..<count]), to: end - start)
        end += count
        hasWritten = true
        return count
    }

    /// What can be written in whole blocks, filled up with zeros, and what stands in front of and behind that.
    func parts() -> (direct: Range<Int>, around: [Range<Int>]) {
        var first = Self.blockStart(of: pendingFrom)
        var around: [Range<Int>] = []
        if first < knownFrom {
            first += Self.blockBytes
            around.append(pendingFrom..<min(first, end))
            guard first < end else { return (first..<first, around) }
        }
        var last = Self.blockStart(of: end)
        if last < end {
            if last + Self.blockBytes <= zerosEnd {
                last += Self.blockBytes
                buffer.clear(end - start..<last - start)
            } else {
                around.append(max(last, pendingFrom)..<end)
            }
        }
        return (min(first, last)..<last, around)
    }

    /// Everything is written: keeps the last block's beginning.
    mutating func slide() {
        let newStart = Self.blockStart(of: end)
        if newStart > start { buffer.move(newStart - start..<end - start) }
        start = newStart
        knownFrom = max(knownFrom, newStart)
        pendingFrom = end
    }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        buffer.bytes(range.lowerBound - start..<range.upperBound - start)
    }

    private static func blockStart(of offset: Int) -> Int { offset / blockBytes * blockBytes }
}
