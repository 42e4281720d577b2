/// The last bytes of a stream.
struct ByteTail {
    let maxBytes: Int
    private var bytes: [UInt8] = []
    /// Where the oldest byte stands once the buffer is full.
    private var start = 0

    init(maxBytes: Int) {
        precondition(maxBytes > 0)
        self.maxBytes = maxBytes
    }

    mutating func append(_ more: ArraySlice<UInt8>) {
        for byte in more.suffix(maxBytes) {
            if bytes.count < maxBytes {
                bytes.append(byte)
            } else {
                bytes[start] = byte
                start = start + 1 == maxBytes ? 0 : start + 1
            }
        }
    }

    var contents: [UInt8] { Array(bytes[start...] + bytes[..<start]) }

    /// The last line that is not blank, without control characters; empty if there is none.
    var lastLine: String {
        let lines = contents.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        let line = lines.last { line in line.contains { $0 > 0x20 } } ?? []
        let text = String(decoding: line, as: UTF8.self)
        return String(
            text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}
