/// So many starts in so much time.
public struct RateLimit: Equatable, Sendable {
    public var count: UInt32
    public var perMilliseconds: Milliseconds
    /// Starts that may follow each other at once after a rest.
    public var burst: UInt32

    /// `burst` nil: what a tenth of a second brings, at least 1.
    public init(count: UInt32, perMilliseconds: Milliseconds, burst: UInt32? = nil) {
        self.count = count
        self.perMilliseconds = perMilliseconds
        let brought = Int64(count) * 100 / perMilliseconds
        self.burst = burst ?? UInt32(min(max(1, brought), Int64(Limits.maxRateCount)))
    }
}

/// How many starts a queue has left, counted in whole units, so that it is the same on every replica: a token is as
/// many units as its rate's period has milliseconds, and each millisecond brings as many as its count.
///
/// In any time t there are at most burst + t × count / period starts.
struct TokenBucket: Equatable, Sendable {
    private(set) var units: Int64
    private(set) var refilledAt: Milliseconds
    /// Nothing starts before; nil: there is a token.
    private(set) var opensAt: Milliseconds?

    init(fullFor rate: RateLimit, at now: Milliseconds) {
        units = rate.capacity
        refilledAt = now
    }

    mutating func take(_ rate: RateLimit, at now: Milliseconds) {
        refill(rate, at: now)
        units = max(0, units - rate.perMilliseconds)
        guard units < rate.perMilliseconds else { return }
        let missing = rate.portion - units
        opensAt = min(now + (missing + Int64(rate.count) - 1) / Int64(rate.count), Limits.maxTime)
    }

    /// So many tokens at once; false if they are not there: then none are taken.
    mutating func take(_ count: Int, _ rate: RateLimit, at now: Milliseconds) -> Bool {
        refill(rate, at: now)
        guard count <= rate.burst else { return false }
        let wanted = Int64(count) * rate.perMilliseconds
        guard units >= wanted else { return false }
        units -= wanted
        return true
    }

    /// When so many tokens are there if none is taken; never after `Limits.maxTime`.
    func readyAt(_ count: Int, _ rate: RateLimit) -> Milliseconds {
        let missing = max(0, Int64(count) * rate.perMilliseconds - units)
        return min(
            refilledAt + (missing + Int64(rate.count) - 1) / Int64(rate.count), Limits.maxTime)
    }

    /// The instant has come.
    mutating func open(_ rate: RateLimit, at now: Milliseconds) {
        refill(rate, at: now)
        opensAt = nil
    }

    /// Starts that are left as far as was counted; 0: nothing starts before `opensAt`.
    func tokens(_ rate: RateLimit) -> Int64 {
        opensAt == nil ? max(1, units / rate.perMilliseconds) : 0
    }

    /// When it is full if nothing is taken.
    func fullAt(_ rate: RateLimit) -> Milliseconds {
        let missing = rate.capacity - units
        return min(
            refilledAt + (missing + Int64(rate.count) - 1) / Int64(rate.count), Limits.maxTime)
    }

    private mutating func refill(_ rate: RateLimit, at now: Milliseconds) {
        let elapsed = max(0, now - refilledAt)
        refilledAt = now
        // Divided first: the product of a long time could overflow.
        if elapsed >= (rate.capacity - units) / Int64(rate.count) + 1 {
            units = rate.capacity
        } else {
            units = min(rate.capacity, units + elapsed * Int64(rate.count))
        }
    }
}

extension RateLimit {
    fileprivate var capacity: Int64 { Int64(burst) * perMilliseconds }

    /// What an empty bucket waits for: a token, or as many as a few milliseconds bring, lest each have an entry of
    /// its own.
    fileprivate var portion: Int64 {
        let tokens = Limits.rateStepMilliseconds * Int64(count) / perMilliseconds
        return min(max(1, tokens), Int64(burst)) * perMilliseconds
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(count)
        writer.put(perMilliseconds)
        writer.put(burst)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        let numbers = 1...Limits.maxRateCount
        count = try reader.uint32()
        perMilliseconds = try reader.milliseconds("period", in: 1...Limits.maxRateMilliseconds)
        burst = try reader.uint32()
        guard numbers.contains(count), numbers.contains(burst) else {
            throw CodecError("a rate of \(count) with a burst of \(burst) is not allowed")
        }
    }
}

extension TokenBucket {
    func encode(into writer: inout ByteWriter) {
        writer.put(units)
        writer.put(refilledAt)
        writer.put(opensAt)
    }

    init(_ rate: RateLimit, from reader: inout ByteReader) throws(CodecError) {
        units = try reader.int64()
        refilledAt = try reader.instant("refill")
        opensAt = try reader.optionalInstant("next token")
        guard (0...rate.capacity).contains(units) else {
            throw CodecError("\(units) units are not in the bucket of this rate")
        }
    }
}
