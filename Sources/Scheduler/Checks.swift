/// Checks of decoded values against `Limits`. They throw `CodecError`, which rejects the one command.

func check(
    _ value: Milliseconds, _ name: String, in range: ClosedRange<Milliseconds>
) throws(CodecError) {
    guard range.contains(value) else {
        throw CodecError("\(name) of \(value) ms is not in \(range)")
    }
}

/// Byte order, because Swift's own order of strings follows Unicode tables that change between versions.
func sortedByBytes(_ strings: [String]) -> [String] {
    var previous: String?
    var isSorted = true
    for text in strings {
        if let previous, !isBefore(previous, text) { isSorted = false }
        previous = text
    }
    guard !isSorted else { return strings }
    var unique: [String] = []
    for text in strings.sorted(by: isBefore) where unique.last.map({ isBefore($0, text) }) ?? true {
        unique.append(text)
    }
    return unique
}

func isBefore(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

extension ByteReader {
    /// 1 to `Limits.maxNameBytes` bytes of UTF-8.
    mutating func name(_ what: String) throws(CodecError) -> String {
        let text = try string()
        guard (1...Limits.maxNameBytes).contains(text.utf8.count) else {
            throw CodecError("a \(what) of \(text.utf8.count) bytes is not allowed")
        }
        return text
    }

    /// Sorted by bytes, without duplicates, whatever the order in the bytes.
    mutating func names(_ what: String, limit: Int) throws(CodecError) -> [String] {
        let count = try count(minimumBytes: 5)
        guard count <= limit else { throw CodecError("\(count) \(what), \(limit) are allowed") }
        var names: [String] = []
        names.reserveCapacity(count)
        for _ in 0..<count { names.append(try name(what)) }
        return sortedByBytes(names)
    }

    mutating func milliseconds(
        _ what: String, in range: ClosedRange<Milliseconds>
    ) throws(CodecError) -> Milliseconds {
        let value = try int64()
        try check(value, what, in: range)
        return value
    }

    /// An instant in 0...`Limits.maxTime`.
    mutating func instant(_ what: String) throws(CodecError) -> Milliseconds {
        try milliseconds(what, in: 0...Limits.maxTime)
    }

    mutating func optionalInstant(_ what: String) throws(CodecError) -> Milliseconds? {
        try bool() ? try instant(what) : nil
    }
}
