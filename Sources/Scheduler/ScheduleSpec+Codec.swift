/// ```
/// schedule  timing u8 (0 cron · string | 1 every · period i64 · phase i64 | 2 at · count u32 · i64…) · zone string
///           · zone data (bool · string) · policy · task spec
/// policy    overlap u8 · catch-up u8 (0 none | 1 latest | 2 all · u32 | 3 within · i64) · grace i64 · jitter i64
///           · until (bool · i64) · gap u8 (0 automatic | 1 shift | 2 skip)
///           · repeated u8 (0 automatic | 1 first | 2 last | 3 both)
/// firing    schedule string · revision u64 · expectedNext i64 · nominal (bool · i64) · missed u32 · later u32
///           · next (bool · i64) · zone data (bool · string)
/// ```
extension ScheduleSpec {
    static let maxCronBytes = 1_024

    func encode(into writer: inout ByteWriter) {
        switch timing {
        case .cron(let expression):
            writer.put(UInt8(0))
            writer.put(expression)
        case .every(let milliseconds, let phase):
            writer.put(UInt8(1))
            writer.put(milliseconds)
            writer.put(phase)
        case .at(let instants):
            writer.put(UInt8(2))
            writer.put(UInt32(instants.count))
            for instant in instants { writer.put(instant) }
        }
        writer.put(zone)
        writer.put(zoneData)
        policy.encode(into: &writer)
        task.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let rule = try ScheduleRuleSpec(from: &reader)
        self.init(
            timing: rule.timing, zone: rule.zone, policy: rule.policy,
            task: try TaskSpec(from: &reader))
        zoneData = rule.zoneData
    }
}

/// The part of a schedule in front of its task.
struct ScheduleRuleSpec {
    let timing: ScheduleSpec.Timing
    let zone: String
    let zoneData: String?
    let policy: SchedulePolicy

    init(from reader: inout ByteReader) throws(CodecError) {
        timing = try Self.timing(&reader)
        zone = try reader.string()
        guard zone.utf8.count <= Limits.maxNameBytes else {
            throw CodecError("a zone of \(zone.utf8.count) bytes is too long")
        }
        zoneData = try reader.zoneData()
        policy = try SchedulePolicy(from: &reader)
    }

    private static func timing(
        _ reader: inout ByteReader
    ) throws(CodecError) -> ScheduleSpec.Timing {
        switch try reader.byte() {
        case 0:
            let expression = try reader.string()
            guard expression.utf8.count <= ScheduleSpec.maxCronBytes else {
                throw CodecError("a cron expression of \(expression.utf8.count) bytes is too long")
            }
            return .cron(expression)
        case 1:
            let period = try reader.milliseconds("period", in: 1...Limits.maxDelayMilliseconds)
            return .every(
                milliseconds: period, phase: try reader.milliseconds("phase", in: 0...period - 1))
        case 2:
            let count = try reader.count(minimumBytes: 8)
            guard (1...Limits.maxScheduleInstants).contains(count) else {
                throw CodecError("\(count) instants are not allowed")
            }
            var instants: [Milliseconds] = []
            instants.reserveCapacity(count)
            for _ in 0..<count {
                let instant = try reader.instant("instant")
                guard instants.last.map({ $0 < instant }) ?? true else {
                    throw CodecError("instants do not ascend")
                }
                instants.append(instant)
            }
            return .at(instants)
        case let other: throw CodecError("\(other) is not a timing")
        }
    }
}

extension SchedulePolicy {
    func encode(into writer: inout ByteWriter) {
        writer.put(overlap.rawValue)
        switch catchUp {
        case .none: writer.put(UInt8(0))
        case .latest: writer.put(UInt8(1))
        case .all(let count):
            writer.put(UInt8(2))
            writer.put(count)
        case .within(let milliseconds):
            writer.put(UInt8(3))
            writer.put(milliseconds)
        }
        writer.put(graceMilliseconds)
        writer.put(jitterMilliseconds)
        writer.put(until)
        switch daylight.gap {
        case nil: writer.put(UInt8(0))
        case .shift: writer.put(UInt8(1))
        case .skip: writer.put(UInt8(2))
        }
        switch daylight.overlap {
        case nil: writer.put(UInt8(0))
        case .first: writer.put(UInt8(1))
        case .last: writer.put(UInt8(2))
        case .both: writer.put(UInt8(3))
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let durations = 0...Limits.maxDelayMilliseconds
        let byte = try reader.byte()
        guard let overlap = OverlapPolicy(rawValue: byte) else {
            throw CodecError("\(byte) is not an overlap policy")
        }
        self.overlap = overlap
        switch try reader.byte() {
        case 0: catchUp = .none
        case 1: catchUp = .latest
        case 2:
            let count = try reader.uint32()
            guard (1...CatchUpPolicy.maxAll).contains(count) else {
                throw CodecError("\(count) occurrences can't be caught up with")
            }
            catchUp = .all(count)
        case 3: catchUp = .within(milliseconds: try reader.milliseconds("catch-up", in: durations))
        case let other: throw CodecError("\(other) is not a catch-up policy")
        }
        graceMilliseconds = try reader.milliseconds("grace", in: durations)
        jitterMilliseconds = try reader.milliseconds("jitter", in: durations)
        until = try reader.optionalInstant("end")
        switch try reader.byte() {
        case 0: daylight.gap = nil
        case 1: daylight.gap = .shift
        case 2: daylight.gap = .skip
        case let other: throw CodecError("\(other) is no treatment of skipped hours")
        }
        switch try reader.byte() {
        case 0: daylight.overlap = nil
        case 1: daylight.overlap = .first
        case 2: daylight.overlap = .last
        case 3: daylight.overlap = .both
        case let other: throw CodecError("\(other) is no treatment of repeated hours")
        }
    }
}

extension Firing {
    func encode(into writer: inout ByteWriter) {
        writer.put(schedule)
        writer.put(revision)
        writer.put(expectedNext)
        writer.put(nominal)
        writer.put(missed)
        writer.put(later)
        writer.put(next)
        writer.put(zoneData)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        schedule = try reader.string()
        revision = try reader.uint64()
        expectedNext = try reader.instant("expected occurrence")
        nominal = try reader.optionalInstant("occurrence")
        missed = try reader.uint32()
        later = try reader.uint32()
        next = try reader.optionalInstant("next occurrence")
        zoneData = try reader.zoneData()
    }
}

extension ByteReader {
    /// The name of a release of time-zone data, such as `2026a`.
    mutating func zoneData() throws(CodecError) -> String? {
        let text = try optionalString()
        guard text.map({ $0.utf8.count <= Limits.maxNameBytes }) ?? true else {
            throw CodecError("a release of time-zone data has too long a name")
        }
        return text
    }
}
