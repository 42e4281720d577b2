/// Bounds the tasks of a queue that have one value under a key, for each value by itself: so many at a time, or so
/// many starts in so much time, for each customer.
public struct KeyLimit: Equatable, Sendable {
    /// Where the value stands: `payload.customer`, `payload.order.shop`, `meta.tenant`.
    public var key: String
    /// Attempts that run at the same time.
    public var concurrency: UInt32?
    /// Attempts that start.
    public var rate: RateLimit?

    public init(key: String, concurrency: UInt32? = nil, rate: RateLimit? = nil) {
        self.key = key
        self.concurrency = concurrency
        self.rate = rate
    }

    /// How many more may have places while so many run and no token was taken.
    func room(running: Int) -> Int {
        let slots = concurrency.map { max(0, Int($0) - running) } ?? .max
        return min(slots, rate.map { Int($0.burst) } ?? .max)
    }

    /// Whether `text` can be a key: `payload` or `meta`, and names behind dots.
    public static func isKey(_ text: String) -> Bool {
        guard text.utf8.count <= Limits.maxKeyBytes else { return false }
        let names = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard names.count > 1, names.allSatisfy({ !$0.isEmpty }) else { return false }
        return names[0].elementsEqual("payload".utf8)
            || names[0].elementsEqual("meta".utf8) && names.count == 2
    }

    /// The value of a task; nil: it has none, and is not bounded.
    ///
    /// What is no string counts as its text, so 1 and "1" are one value. A value that is longer than
    /// `Limits.maxKeyBytes` counts as its hash.
    func value(payload: [UInt8], meta: [Label]) -> String? {
        let names = key.utf8.split(separator: UInt8(ascii: "."))
        guard names[0].elementsEqual("payload".utf8) else {
            return meta.first { $0.name.utf8.elementsEqual(names[1]) }
                .map { Self.shortened(Array($0.value.utf8)) }
        }
        return PayloadScanner(payload).value(at: names.dropFirst().map(Array.init))
            .map { Self.shortened(Array($0)) }
    }

    private static func shortened(_ bytes: [UInt8]) -> String {
        if bytes.count <= Limits.maxKeyBytes, let text = String(validating: bytes, as: UTF8.self) {
            return text
        }
        var hash = StableHash()
        hash.mix(bytes)
        return "#" + String(hash.digest, radix: 16)
    }
}

/// ```
/// key limit  key string · concurrency (bool · u32) · rate (bool · count u32 · period i64 · burst u32)
/// ```
extension KeyLimit {
    func encode(into writer: inout ByteWriter) {
        writer.put(key)
        writer.put(concurrency != nil)
        if let concurrency { writer.put(concurrency) }
        writer.put(rate != nil)
        rate?.encode(into: &writer)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        key = try reader.string()
        guard Self.isKey(key) else { throw CodecError("\"\(key)\" is not a key") }
        if try reader.bool() {
            let value = try reader.uint32()
            guard (1...Limits.maxQueueConcurrency).contains(value) else {
                throw CodecError("a concurrency of \(value) is not allowed")
            }
            concurrency = value
        }
        if try reader.bool() { rate = try RateLimit(from: &reader) }
        guard concurrency != nil || rate != nil else {
            throw CodecError("a limit of \"\(key)\" limits nothing")
        }
    }
}
