/// Little-endian binary writing. Lengths of byte strings are 32 bits.
public struct ByteWriter: Sendable {
    /// What was written behind the last of `pieces`.
    public private(set) var bytes: [UInt8] = []
    /// What stands before `bytes`, if arrays were to be shared.
    private var pieces: [[UInt8]] = []
    private let minSharedBytes: Int

    /// An array of at least `minSharedBytes` is not copied, but becomes a piece of its own (`takePieces`).
    public init(capacity: Int = 0, minSharedBytes: Int = .max) {
        self.minSharedBytes = minSharedBytes
        bytes.reserveCapacity(capacity)
    }

    /// Of `bytes`.
    public var count: Int { bytes.count }

    /// All that was written, in its order; none of the arrays is empty.
    public consuming func takePieces() -> [[UInt8]] {
        if !bytes.isEmpty { pieces.append(bytes) }
        return pieces
    }

    public mutating func put(_ value: UInt8) { bytes.append(value) }

    public mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    public mutating func put(_ value: UInt16) { putInteger(value) }

    public mutating func put(_ value: UInt32) { putInteger(value) }

    public mutating func put(_ value: UInt64) { putInteger(value) }

    public mutating func put(_ value: Int64) { putInteger(UInt64(bitPattern: value)) }

    public mutating func put(_ value: [UInt8]) {
        putInteger(UInt32(value.count))
        guard value.count < minSharedBytes else {
            pieces.append(bytes)
            pieces.append(value)
            bytes = []
            return
        }
        bytes.append(contentsOf: value)
    }

    public mutating func put(_ value: String) {
        var text = value
        text.withUTF8 { utf8 in
            putInteger(UInt32(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    public mutating func put(_ value: Int64?) {
        put(value != nil)
        if let value { put(value) }
    }

    public mutating func put(_ value: String?) {
        put(value != nil)
        if let value { put(value) }
    }

    public mutating func put(_ value: [String]) {
        put(UInt32(value.count))
        for text in value { put(text) }
    }

    public mutating func putRaw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    /// Keeps the room, for another use.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Overwrites four bytes written earlier, for lengths known only afterwards.
    public mutating func patch(_ value: UInt32, at offset: Int) {
        for position in 0..<4 {
            bytes[offset + position] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(position)))
        }
    }

    @inline(__always)
    private mutating func putInteger<T: FixedWidthInteger>(_ value: T) {
        bytes.append(littleEndian: value)
    }
}

extension [UInt8] {
    @inline(__always)
    mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

/// The bytes are not what the format says.
public struct CodecError: Error, Equatable, CustomStringConvertible, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

/// Little-endian binary reading; every method throws at the end of the bytes rather than trap, because
/// the bytes may come from a network or a disk.
public struct ByteReader: Sendable {
    public let bytes: [UInt8]
    public private(set) var offset: Int
    public let end: Int

    public init(_ bytes: [UInt8]) {
        self.init(bytes, range: 0..<bytes.count)
    }

    public init(_ bytes: [UInt8], range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        self.offset = range.lowerBound
        self.end = range.upperBound
    }

    public var remaining: Int { end - offset }

    public mutating func byte() throws(CodecError) -> UInt8 {
        try require(1)
        defer { offset += 1 }
        return bytes[offset]
    }

    public mutating func bool() throws(CodecError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        case let other: throw CodecError("\(other) is not a boolean")
        }
    }

    public mutating func uint16() throws(CodecError) -> UInt16 { try integer() }

    public mutating func uint32() throws(CodecError) -> UInt32 { try integer() }

    public mutating func uint64() throws(CodecError) -> UInt64 { try integer() }

    public mutating func int64() throws(CodecError) -> Int64 {
        Int64(bitPattern: try integer() as UInt64)
    }

    public mutating func optionalInt64() throws(CodecError) -> Int64? {
        try bool() ? try int64() : nil
    }

    public mutating func optionalString() throws(CodecError) -> String? {
        try bool() ? try string() : nil
    }

    public mutating func strings() throws(CodecError) -> [String] {
        let count = try count(minimumBytes: 4)
        var strings: [String] = []
        strings.reserveCapacity(count)
        for _ in 0..<count { strings.append(try string()) }
        return strings
    }

    /// The range of a byte string that is left where it is.
    public mutating func blobRange() throws(CodecError) -> Range<Int> {
        let count = Int(try uint32())
        try skip(count)
        return offset - count..<offset
    }

    public mutating func blob() throws(CodecError) -> [UInt8] {
        let count = Int(try uint32())
        return try raw(count)
    }

    public mutating func raw(_ count: Int) throws(CodecError) -> [UInt8] {
        try require(count)
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    public mutating func skip(_ count: Int) throws(CodecError) {
        try require(count)
        offset += count
    }

    public mutating func string() throws(CodecError) -> String {
        let count = Int(try uint32())
        try require(count)
        defer { offset += count }
        do throws(UTF8.ValidationError) {
            let text = bytes.span.extracting(offset..<offset + count)
            return String(copying: try UTF8Span(validating: text))
        } catch {
            throw CodecError("a string of \(count) bytes is not UTF-8")
        }
    }

    /// A count of items that take at least `minimumBytes` each: a damaged count can't make us reserve
    /// more memory than there are bytes.
    public mutating func count(minimumBytes: Int = 1) throws(CodecError) -> Int {
        let count = Int(try uint32())
        guard count <= remaining / minimumBytes else {
            throw CodecError("\(count) items announced, \(remaining) bytes left")
        }
        return count
    }

    private func require(_ count: Int) throws(CodecError) {
        guard count >= 0, count <= remaining else {
            throw CodecError("\(count) bytes wanted, \(remaining) left")
        }
    }

    @inline(__always)
    private mutating func integer<T: FixedWidthInteger>() throws(CodecError) -> T {
        let size = MemoryLayout<T>.size
        try require(size)
        defer { offset += size }
        return bytes.withUnsafeBytes {
            T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
    }
}
