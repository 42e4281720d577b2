/// How a queue is run; nil: without that limit.
public struct QueueSpec: Equatable, Sendable {
    /// Attempts that run at the same time.
    public var concurrency: UInt32?
    /// Of its tasks that name none; the receiving node puts it into them.
    public var priority: UInt8?
    /// Tasks that wait, for their time or for a slot: over it submissions are refused. What a schedule makes and
    /// what is tried again is not held back.
    public var maxPending: UInt32?
    /// Attempts that start.
    public var rate: RateLimit?
    public var breaker: BreakerSpec?
    /// Told of each of its tasks that is dead, see `Webhook`.
    public var errorWebhook: String?
    /// Of tasks with the same value under a key; each key once.
    public var limits: [KeyLimit] = []

    public init() {}
}

/// ```
/// queue spec  concurrency (bool · u32) · priority (bool · u8) · maxPending (bool · u32)
///             · rate (bool · count u32 · period i64 · burst u32) · breaker (bool · `BreakerSpec`)
///             · errorWebhook (bool · string)
///             · limits (count u32 · `KeyLimit`…)
/// ```
extension QueueSpec {
    func encode(into writer: inout ByteWriter) {
        writer.put(concurrency != nil)
        if let concurrency { writer.put(concurrency) }
        writer.put(priority != nil)
        if let priority { writer.put(priority) }
        writer.put(maxPending != nil)
        if let maxPending { writer.put(maxPending) }
        writer.put(rate != nil)
        rate?.encode(into: &writer)
        writer.put(breaker != nil)
        breaker?.encode(into: &writer)
        writer.put(errorWebhook)
        writer.put(UInt32(limits.count))
        for limit in limits { limit.encode(into: &writer) }
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        self.init()
        if try reader.bool() {
            let value = try reader.uint32()
            guard (1...Limits.maxQueueConcurrency).contains(value) else {
                throw CodecError("a concurrency of \(value) is not allowed")
            }
            concurrency = value
        }
        if try reader.bool() {
            let value = try reader.byte()
            guard value <= 9 else { throw CodecError("priority \(value) is not in 0...9") }
            priority = value
        }
        if try reader.bool() { maxPending = try reader.uint32() }
        if try reader.bool() { rate = try RateLimit(from: &reader) }
        if try reader.bool() { breaker = try BreakerSpec(from: &reader) }
        errorWebhook = try reader.optionalString()
        if let errorWebhook { try Webhook.check(errorWebhook.utf8) }
        let count = try reader.count(minimumBytes: 14)
        guard count <= Limits.maxKeyLimits else {
            throw CodecError("\(count) limits by key are too many")
        }
        for _ in 0..<count {
            let limit = try KeyLimit(from: &reader)
            guard !limits.contains(where: { $0.key == limit.key }) else {
                throw CodecError("\"\(limit.key)\" is limited twice")
            }
            limits.append(limit)
        }
    }
}
