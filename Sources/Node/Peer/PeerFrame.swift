/// What travels between nodes: frames on a TCP stream. Numbers are little-endian.
///
///     offset  size  field
///          0     2  magic, "CN"
///          2     1  frame format version, 1
///          3     1  type: 1 hello, 2 refusal, 3 message, 4 ping, 5 pong
///          4     4  payload length in bytes
///          8     4  CRC-32C of the eight bytes before and the payload
///         12     n  payload
///
/// The caller's first frame is a hello; the called answers with its own hello, or with a refusal and
/// the end of the connection. After that the caller sends messages and pings, and the called only pongs: each of two nodes
/// calls the other for what it has to say itself. A ping carries eight bytes of the sender's choice,
/// which come back in the pong.
///
/// Cases: a frame cut short by the end of the connection is dropped; a wrong magic, version, type, length or
/// checksum means that the stream cannot be trusted any more, and the connection is closed. Lost frames
/// are the consensus protocol's business.
struct PeerFrame: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        case hello = 1
        case refusal = 2
        case message = 3
        case ping = 4
        case pong = 5
    }

    /// Why bytes are not a frame, in words.
    struct Malformed: Error, Equatable {
        var reason: String
    }

    static let headerBytes = 12
    private static let magicAndVersion: UInt64 = 0x01_4E43

    var kind: Kind
    var payload: [UInt8]

    /// Queues a frame on a connection.
    static func write(_ kind: Kind, _ payload: [UInt8], to connection: Connection) {
        write(kind, pieces: [payload], to: connection)
    }

    /// Queues a frame whose payload is these pieces, one behind the other. Large ones are not copied.
    static func write(_ kind: Kind, pieces: [[UInt8]], to connection: Connection) {
        let count = byteCount(of: pieces)
        let start = magicAndVersion | UInt64(kind.rawValue) << 24 | UInt64(count) << 32
        var checksum = CRC32C()
        checksum.update(word: start)
        for piece in pieces { checksum.update(piece) }
        connection.write { buffer in
            append(start, bytes: 8, to: &buffer)
            append(UInt64(checksum.value), bytes: 4, to: &buffer)
        }
        for piece in pieces { connection.write(piece) }
    }

    static func byteCount(of pieces: [[UInt8]]) -> Int { pieces.reduce(0) { $0 + $1.count } }

    static func append(_ number: UInt64, bytes count: Int, to buffer: inout [UInt8]) {
        for index in 0..<count { buffer.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }

    private static func checksum(_ start: UInt64, _ payload: [UInt8]) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(word: start)
        checksum.update(payload)
        return checksum.value
    }

    /// Takes frames out of a stream. Each payload gathers in an array of its own, which is then the
    /// frame's: bytes are copied once. Who is done with a frame hands its array back (`reuse`).
    struct Reader {
        /// A larger one is not kept: it would be held by every idle connection.
        private static let maxKeptBytes = 1 << 20

        var maxPayloadBytes: Int
        private var start: UInt64 = 0
        private var kind: Kind?
        private var expectedChecksum: UInt32 = 0
        private var payload: [UInt8] = []
        private var remainingBytes = 0

        init(maxPayloadBytes: Int) {
            self.maxPayloadBytes = maxPayloadBytes
        }

        /// The next complete frame from `offset` on, which moves behind what was used. Nil when the
        /// bytes are used up, except for the beginning of a header, which is to come again.
        mutating func next(
            _ bytes: Span<UInt8>, offset: inout Int
        ) throws(Malformed) -> PeerFrame? {
            if kind == nil {
                guard bytes.count - offset >= PeerFrame.headerBytes else { return nil }
                try readHeader(bytes, at: offset)
                offset += PeerFrame.headerBytes
            }
            let count = min(remainingBytes, bytes.count - offset)
            if count > 0 {
                bytes.extracting(offset..<offset + count).append(to: &payload)
                offset += count
                remainingBytes -= count
            }
            guard remainingBytes == 0, let kind else { return nil }
            guard PeerFrame.checksum(start, payload) == expectedChecksum else {
                throw Malformed(reason: "a frame's checksum is wrong")
            }
            self.kind = nil
            var taken: [UInt8] = []
            swap(&taken, &payload)
            return PeerFrame(kind: kind, payload: taken)
        }

        /// Takes back the array of a frame, for the next one's payload: fresh memory costs more than the bytes that go there.
        mutating func reuse(_ spent: inout [UInt8]) {
            guard kind == nil, spent.capacity > payload.capacity,
                spent.capacity <= Self.maxKeptBytes
            else { return }
            swap(&payload, &spent)
            payload.removeAll(keepingCapacity: true)
        }

        private mutating func readHeader(
            _ bytes: Span<UInt8>, at offset: Int
        ) throws(Malformed) {
            start = PeerFrame.number(bytes, at: offset, bytes: 8)
            expectedChecksum = UInt32(PeerFrame.number(bytes, at: offset + 8, bytes: 4))
            guard start & 0xFF_FFFF == PeerFrame.magicAndVersion else {
                throw Malformed(reason: "this is not the peer protocol")
            }
            guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: start >> 24)) else {
                throw Malformed(reason: "a frame has an unknown type")
            }
            let length = Int(start >> 32)
            guard length <= maxPayloadBytes else {
                throw Malformed(
                    reason: "a frame of \(length) bytes is beyond the limit of \(maxPayloadBytes)")
            }
            self.kind = kind
            remainingBytes = length
            payload.reserveCapacity(length)
        }
    }

    static func number(_ bytes: Span<UInt8>, at offset: Int, bytes count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[offset + index]) << (8 * index) }
        return value
    }
}
