/// When a queue stops for a while because its tasks fail. Attempts that were lost, handed back or cancelled say
/// nothing of their handler and do not count.
public struct BreakerSpec: Equatable, Sendable {
    public var trip: Trip
    /// How long nothing starts then.
    public var openMilliseconds: Milliseconds
    /// Attempts that have to succeed after that, before the others follow; one that fails opens it again.
    public var probes: UInt32

    public init(trip: Trip, openMilliseconds: Milliseconds = 30_000, probes: UInt32 = 1) {
        self.trip = trip
        self.openMilliseconds = openMilliseconds
        self.probes = probes
    }

    public enum Trip: Equatable, Sendable {
        /// So many failures in a row.
        case failures(UInt32)
        /// So many of a thousand attempts that ended within the time, if at least `minimum` did.
        case ratio(permille: UInt32, minimum: UInt32, windowMilliseconds: Milliseconds)
    }
}

public enum BreakerPhase: Equatable, Sendable {
    case closed
    /// Nothing starts before.
    case open(until: Milliseconds)
    /// Some attempts are let through to see how they end.
    case halfOpen

    /// As it stands in the API.
    public var name: String {
        switch self {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "halfOpen"
        }
    }
}

struct Breaker: Equatable, Sendable {
    /// Ends of attempts in a tenth of the window.
    struct Slot: Equatable, Sendable {
        var number: Int64
        var ended: UInt32 = 0
        var failed: UInt32 = 0
    }

    static let slotCount: Int64 = 10

    private(set) var phase = BreakerPhase.closed
    private(set) var failuresInARow: UInt32 = 0
    private(set) var slots: [Slot] = []
    /// Number of the last half-open phase: its probes carry it, so that no older attempt is taken for one.
    private(set) var generation: UInt32 = 0
    private(set) var probesRunning: UInt32 = 0
    private(set) var probesSucceeded: UInt32 = 0

    init() {}

    func allowsStart(_ spec: BreakerSpec) -> Bool {
        switch phase {
        case .closed: true
        case .open: false
        case .halfOpen: probesRunning + probesSucceeded < spec.probes
        }
    }

    /// An attempt starts. Returns what it has to give back at its end; 0: it is no probe.
    mutating func started() -> UInt32 {
        guard phase == .halfOpen else { return 0 }
        probesRunning += 1
        return generation
    }

    /// An attempt has ended; `isSuccess` nil: that says nothing of its handler. True if the phase is another one.
    mutating func ended(
        _ spec: BreakerSpec, probe: UInt32, isSuccess: Bool?, at now: Milliseconds
    ) -> Bool {
        switch phase {
        case .open: return false
        case .halfOpen:
            guard probe != 0, probe == generation else { return false }
            probesRunning -= min(1, probesRunning)
            guard let isSuccess else { return false }
            guard isSuccess else { return open(spec, at: now) }
            probesSucceeded += 1
            guard probesSucceeded >= spec.probes else { return false }
            phase = .closed
            return true
        case .closed:
            guard let isSuccess else { return false }
            return hasTripped(spec.trip, isSuccess, now) ? open(spec, at: now) : false
        }
    }

    /// Another rule holds from now on. Its probes are told from earlier ones all the same.
    mutating func reset() {
        phase = .closed
        failuresInARow = 0
        slots.removeAll()
    }

    /// The time that it was open for has passed.
    mutating func allowProbes() {
        phase = .halfOpen
        generation &+= 1
        if generation == 0 { generation = 1 }
        probesRunning = 0
        probesSucceeded = 0
    }

    private mutating func open(_ spec: BreakerSpec, at now: Milliseconds) -> Bool {
        phase = .open(until: min(now + spec.openMilliseconds, Limits.maxTime))
        failuresInARow = 0
        slots.removeAll()
        return true
    }

    private mutating func hasTripped(
        _ trip: BreakerSpec.Trip, _ isSuccess: Bool, _ now: Milliseconds
    ) -> Bool {
        switch trip {
        case .failures(let limit):
            failuresInARow = isSuccess ? 0 : failuresInARow + 1
            return failuresInARow >= limit
        case .ratio(let permille, let minimum, let window):
            let number = now / max(1, window / Self.slotCount)
            slots.removeAll { $0.number <= number - Self.slotCount }
            if slots.last?.number != number { slots.append(Slot(number: number)) }
            slots[slots.count - 1].ended &+= 1
            if !isSuccess { slots[slots.count - 1].failed &+= 1 }
            let ended = slots.reduce(0) { $0 + UInt64($1.ended) }
            let failed = slots.reduce(0) { $0 + UInt64($1.failed) }
            return ended >= UInt64(minimum) && failed * 1_000 >= UInt64(permille) * ended
        }
    }
}

/// ```
/// breaker spec  trip u8 (0 failures · u32 | 1 ratio · permille u32 · minimum u32 · window i64) · open i64 · probes u32
/// breaker       phase u8 (0 closed | 1 open · until i64 | 2 half-open) · failures in a row u32
///               · slots (count u32 · (number i64 · ended u32 · failed u32)…)
///               · generation u32 · probes running u32 · probes succeeded u32
/// ```
extension BreakerSpec {
    func encode(into writer: inout ByteWriter) {
        switch trip {
        case .failures(let count):
            writer.put(UInt8(0))
            writer.put(count)
        case .ratio(let permille, let minimum, let window):
            writer.put(UInt8(1))
            writer.put(permille)
            writer.put(minimum)
            writer.put(window)
        }
        writer.put(openMilliseconds)
        writer.put(probes)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        let counts = 1...Limits.maxBreakerCount
        let times = 1...Limits.maxRateMilliseconds
        switch try reader.byte() {
        case 0:
            let count = try reader.uint32()
            guard counts.contains(count) else {
                throw CodecError("\(count) failures are not allowed")
            }
            trip = .failures(count)
        case 1:
            let permille = try reader.uint32()
            let minimum = try reader.uint32()
            guard (1...1_000).contains(permille), counts.contains(minimum) else {
                throw CodecError("\(permille) of 1000 of at least \(minimum) are not allowed")
            }
            trip = .ratio(
                permille: permille, minimum: minimum,
                windowMilliseconds: try reader.milliseconds("window", in: times))
        case let other: throw CodecError("\(other) is not a rule of a breaker")
        }
        openMilliseconds = try reader.milliseconds("open time", in: times)
        probes = try reader.uint32()
        guard counts.contains(probes) else { throw CodecError("\(probes) probes are not allowed") }
    }
}

extension Breaker {
    func encode(into writer: inout ByteWriter) {
        switch phase {
        case .closed: writer.put(UInt8(0))
        case .open(let until):
            writer.put(UInt8(1))
            writer.put(until)
        case .halfOpen: writer.put(UInt8(2))
        }
        writer.put(failuresInARow)
        writer.put(UInt32(slots.count))
        for slot in slots {
            writer.put(slot.number)
            writer.put(slot.ended)
            writer.put(slot.failed)
        }
        writer.put(generation)
        writer.put(probesRunning)
        writer.put(probesSucceeded)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.byte() {
        case 0: phase = .closed
        case 1: phase = .open(until: try reader.instant("end of an open breaker"))
        case 2: phase = .halfOpen
        case let other: throw CodecError("\(other) is not a breaker's phase")
        }
        failuresInARow = try reader.uint32()
        for _ in 0..<(try reader.count(minimumBytes: 16)) {
            let number = try reader.instant("slot")
            guard slots.last.map({ $0.number < number }) ?? true else {
                throw CodecError("a breaker's slots are not in order")
            }
            slots.append(
                Slot(number: number, ended: try reader.uint32(), failed: try reader.uint32()))
        }
        generation = try reader.uint32()
        probesRunning = try reader.uint32()
        probesSucceeded = try reader.uint32()
        guard failuresInARow < Limits.maxBreakerCount, probesRunning <= Limits.maxBreakerCount,
            probesSucceeded <= Limits.maxBreakerCount
        else { throw CodecError("a breaker's counts are not plausible") }
    }
}
