/// What tasks of one kind have in common. Stored once for all of them, under the very bytes that a command
/// carries, so that a submission finds it without decoding it.
///
/// ```
/// profile  handler string · queue string · tags (count u32 · strings) · attempts u32 · backoff u8
///          · initial i64 · max i64 · jitter bool · timeout i64 · expires (bool · i64 if true) · delivery u8
///          · overall time-out (bool · i64 if true) · kinds that are tried again (count u32 · strings)
///          · cache (bool · i64 if true)
/// ```
final class Profile: Sendable {
    let bytes: [UInt8]
    let handler: String
    let queue: String
    /// Sorted by bytes, without duplicates.
    let tags: [String]
    let retry: RetryPolicy
    let timeoutMilliseconds: Milliseconds
    let expiresMilliseconds: Milliseconds?
    let delivery: TaskSpec.Delivery
    let overallTimeoutMilliseconds: Milliseconds?
    let cacheMilliseconds: Milliseconds?

    /// Throws if the bytes are damaged or a value is over its limit.
    init(decoding bytes: [UInt8]) throws(CodecError) {
        self.bytes = bytes
        var reader = ByteReader(bytes)
        handler = try reader.name("handler")
        queue = try reader.name("queue")
        tags = try reader.names("tags", limit: Limits.maxTags)
        var retry = try Self.retry(from: &reader)
        timeoutMilliseconds = try reader.milliseconds(
            "timeout", in: 1...Limits.maxTimeoutMilliseconds)
        let expires = try reader.optionalInt64()
        if let expires { try check(expires, "expires", in: 0...Limits.maxDelayMilliseconds) }
        expiresMilliseconds = expires
        let deliveryByte = try reader.byte()
        guard let delivery = TaskSpec.Delivery(rawValue: deliveryByte) else {
            throw CodecError("\(deliveryByte) is not a delivery")
        }
        self.delivery = delivery
        let overall = try reader.optionalInt64()
        if let overall {
            try check(overall, "overall time-out", in: 1...Limits.maxDelayMilliseconds)
        }
        overallTimeoutMilliseconds = overall
        retry.kinds = try reader.names("kinds", limit: Limits.maxRetryKinds)
        self.retry = retry
        let cache = try reader.optionalInt64()
        if let cache { try check(cache, "cache", in: 1...Limits.maxCacheMilliseconds) }
        cacheMilliseconds = cache
        guard reader.remaining == 0 else { throw CodecError("bytes behind a profile") }
    }

    private static func retry(from reader: inout ByteReader) throws(CodecError) -> RetryPolicy {
        var retry = RetryPolicy()
        retry.attempts = try reader.uint32()
        guard (1...Limits.maxAttempts).contains(retry.attempts) else {
            throw CodecError("\(retry.attempts) attempts are not allowed")
        }
        let backoff = try reader.byte()
        guard let known = RetryPolicy.Backoff(rawValue: backoff) else {
            throw CodecError("\(backoff) is not a back-off")
        }
        retry.backoff = known
        let delays = 0...Limits.maxDelayMilliseconds
        retry.initialMilliseconds = try reader.milliseconds("initial delay", in: delays)
        retry.maxMilliseconds = try reader.milliseconds("longest delay", in: delays)
        retry.jitter = try reader.bool()
        return retry
    }

    static func encode(_ spec: TaskSpec, into writer: inout ByteWriter) {
        writer.put(spec.handler)
        writer.put(spec.queue)
        writer.put(spec.tags)
        writer.put(spec.retry.attempts)
        writer.put(spec.retry.backoff.rawValue)
        writer.put(spec.retry.initialMilliseconds)
        writer.put(spec.retry.maxMilliseconds)
        writer.put(spec.retry.jitter)
        writer.put(spec.timeoutMilliseconds)
        writer.put(spec.expiresMilliseconds)
        writer.put(spec.delivery.rawValue)
        writer.put(spec.overallTimeoutMilliseconds)
        writer.put(spec.retry.kinds)
        writer.put(spec.cacheMilliseconds)
    }
}

/// Profiles by number, with the number of tasks that have them.
struct ProfileTable: Sendable {
    struct Slot: Sendable {
        var profile: Profile?
        var references: UInt32
    }

    private(set) var slots = Buckets<Slot>()
    /// Numbers free for reuse, last freed first: part of the state, because it decides the next number.
    private(set) var free: [UInt32] = []

    init() {}

    init(slots: Buckets<Slot>, free: [UInt32]) {
        self.slots = slots
        self.free = free
    }

    subscript(number: UInt32) -> Profile {
        guard let profile = slots[Int(number)].profile else {
            preconditionFailure("profile \(number) is not in use")
        }
        return profile
    }

    mutating func insert(_ profile: Profile) -> UInt32 {
        if let number = free.popLast() {
            slots[Int(number)] = Slot(profile: profile, references: 0)
            return number
        }
        slots.append(Slot(profile: profile, references: 0))
        return UInt32(slots.count - 1)
    }

    mutating func retain(_ number: UInt32) { slots[Int(number)].references += 1 }

    /// The profile if nothing refers to it any more: its number is free then.
    mutating func release(_ number: UInt32) -> Profile? {
        slots[Int(number)].references -= 1
        guard slots[Int(number)].references == 0 else { return nil }
        let profile = slots[Int(number)].profile
        slots[Int(number)].profile = nil
        free.append(number)
        return profile
    }
}
