/// The session that a request to attach has begun, remembered by the request's key: the same request come late, through another
/// node, must not end the sessions that came after.
///
/// ```
/// attachments  count u32 · attachments, oldest first
/// attachment   key u64 u64 · session u64
/// ```
struct Attachment: Equatable, Sendable {
    var key: KeyHash
    var session: UInt64

    static let encodedBytes = 24

    static func hash(_ key: String) -> KeyHash {
        let bytes = Array(key.utf8)
        return KeyHash(bytes, 0..<bytes.count)
    }
}

extension [Attachment] {
    /// The oldest one gives way if there are too many.
    mutating func remember(_ key: String, _ session: UInt64) {
        if count >= Limits.maxAttachments { removeFirst() }
        append(Attachment(key: Attachment.hash(key), session: session))
    }

    func session(of key: String) -> UInt64? {
        let hash = Attachment.hash(key)
        return last { $0.key == hash }?.session
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(count))
        for attachment in self {
            writer.put(attachment.key.high)
            writer.put(attachment.key.low)
            writer.put(attachment.session)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let count = try reader.count(minimumBytes: Attachment.encodedBytes)
        guard count <= Limits.maxAttachments else {
            throw CodecError("a worker with \(count) remembered attachments")
        }
        self = []
        for _ in 0..<count {
            let high = try reader.uint64()
            let key = KeyHash(high: high, low: try reader.uint64())
            append(Attachment(key: key, session: try reader.uint64()))
        }
    }
}
