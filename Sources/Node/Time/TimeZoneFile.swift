/// Compiled time-zone files, TZif versions 1 to 4 (RFC 9636):
///
///     header    "TZif", version, 15 bytes unused, then six counts of 32 bits, big-endian:
///               UT indicators, standard indicators, leap seconds, changes, types, abbreviation bytes
///     block     changes x instant (32 bits) · changes x type (8 bits)
///               types x { offset 32 bits, is-daylight 8 bits, abbreviation 8 bits }
///               abbreviations · leap seconds x (instant, 32 bits) · standard and UT indicators
///     and from version 2 on the same again with instants of 64 bits, then
///     footer    newline, a POSIX rule for the time after the last change, newline
///
/// A file that is cut off or contradicts itself is refused; none of its counts is trusted beyond its
/// length. Files that count leap seconds ("right/…") are refused: our time doesn't.
enum TimeZoneFile {
    /// The largest files of the database have under 4 KiB.
    static let maxBytes = 256 * 1024

    static func zone(name: String, _ bytes: [UInt8]) throws(ZoneError) -> Zone {
        guard bytes.count <= maxBytes else { throw ZoneError("is longer than \(maxBytes) bytes") }
        var reader = BigEndianReader(bytes)
        var header = try Header(&reader)
        guard header.version >= 2 else {
            return try Block(header, instantBytes: 4, &reader).zone(name: name, rule: nil)
        }
        try reader.skip(header.blockBytes(instantBytes: 4))
        header = try Header(&reader)
        let block = try Block(header, instantBytes: 8, &reader)
        let footer = try reader.line()
        return try block.zone(name: name, rule: footer.isEmpty ? nil : PosixZoneRule(footer))
    }

    private struct Header {
        let version: Int
        let universalCount: Int
        let standardCount: Int
        let leapCount: Int
        let changeCount: Int
        let typeCount: Int
        let abbreviationBytes: Int

        init(_ reader: inout BigEndianReader) throws(ZoneError) {
            guard try reader.bytes(4) == Array("TZif".utf8) else {
                throw ZoneError("is not a time-zone file")
            }
            switch try reader.bytes(1)[0] {
            case 0: version = 1
            case let digit where digit >= UInt8(ascii: "2"):
                version = Int(digit - UInt8(ascii: "0"))
            default: throw ZoneError("has an unknown version")
            }
            try reader.skip(15)
            universalCount = try reader.count()
            standardCount = try reader.count()
            leapCount = try reader.count()
            changeCount = try reader.count()
            typeCount = try reader.count()
            abbreviationBytes = try reader.count()
        }

        func blockBytes(instantBytes: Int) -> Int {
            changeCount * (instantBytes + 1) + typeCount * 6 + abbreviationBytes
                + leapCount * (instantBytes + 4) + standardCount + universalCount
        }
    }

    private struct Block {
        var changes: [(instant: Int64, offset: Int32)] = []
        let initialOffset: Int32

        /// An offset from UTC, in seconds, that a zone may have (RFC 9636, section 3.2).
        private static let offsetRange: ClosedRange<Int64> = -89_999...93_599

        init(
            _ header: Header, instantBytes: Int, _ reader: inout BigEndianReader
        ) throws(ZoneError) {
            guard header.leapCount == 0 else { throw ZoneError("counts leap seconds") }
            guard header.typeCount > 0 else { throw ZoneError("has no offset") }
            guard header.blockBytes(instantBytes: instantBytes) <= reader.remaining else {
                throw ZoneError("is cut off")
            }
            var instants: [Int64] = []
            for _ in 0..<header.changeCount {
                let instant = try reader.integer(instantBytes)
                if let last = instants.last, last >= instant {
                    throw ZoneError("has changes out of order")
                }
                instants.append(instant)
            }
            let types = try reader.bytes(header.changeCount)
            var offsets: [Int32] = []
            for _ in 0..<header.typeCount {
                let offset = try reader.integer(4)
                guard Self.offsetRange.contains(offset) else {
                    throw ZoneError("has an offset that no zone has")
                }
                offsets.append(Int32(offset))
                try reader.skip(2)
            }
            try reader.skip(header.abbreviationBytes + header.standardCount + header.universalCount)
            initialOffset = offsets[0]
            for (instant, type) in zip(instants, types) {
                guard Int(type) < offsets.count else { throw ZoneError("names an unknown offset") }
                changes.append((instant, offsets[Int(type)]))
            }
        }

        func zone(name: String, rule: PosixZoneRule?) -> Zone {
            Zone(name: name, changes: changes, initialOffset: initialOffset, rule: rule)
        }
    }
}

/// Why a zone can't be had.
struct ZoneError: Error, Equatable, CustomStringConvertible, Sendable {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    var description: String { reason }
}

private struct BigEndianReader {
    private let source: [UInt8]
    private var position = 0

    init(_ source: [UInt8]) {
        self.source = source
    }

    var remaining: Int { source.count - position }

    mutating func skip(_ count: Int) throws(ZoneError) {
        guard count <= remaining else { throw ZoneError("is cut off") }
        position += count
    }

    mutating func bytes(_ count: Int) throws(ZoneError) -> [UInt8] {
        let start = position
        try skip(count)
        return Array(source[start..<position])
    }

    /// A count that can't exceed the bytes of the file, so that sums of counts don't overflow.
    mutating func count() throws(ZoneError) -> Int {
        let value = try integer(4)
        guard value >= 0, value <= source.count else { throw ZoneError("is cut off") }
        return Int(value)
    }

    /// A signed integer of 4 or 8 bytes.
    mutating func integer(_ count: Int) throws(ZoneError) -> Int64 {
        var value: UInt64 = 0
        for byte in try bytes(count) { value = value << 8 | UInt64(byte) }
        return count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    /// The text between two newlines.
    mutating func line() throws(ZoneError) -> String {
        guard try bytes(1) == [0x0A],
            let end = source[position...].firstIndex(of: 0x0A)
        else { throw ZoneError("has no footer") }
        defer { position = end + 1 }
        return String(decoding: source[position..<end], as: UTF8.self)
    }
}
