/// ```
/// schedule  timing u8 (0 cron, 1 every) · cron string or period i64 · zone string · task spec
/// firing    schedule string · revision u64 · expectedNext i64 · nominal (bool · i64) · missed u32
///           · next (bool · i64)
/// ```
extension ScheduleSpec {
    static let maxCronBytes = 1_024

    func encode(into writer: inout ByteWriter) {
        switch timing {
        case .cron(let expression):
            writer.put(UInt8(0))
            writer.put(expression)
        case .every(let milliseconds):
            writer.put(UInt8(1))
            writer.put(milliseconds)
        }
        writer.put(zone)
        task.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let (timing, zone) = try Self.timing(from: &reader)
        self.init(timing: timing, zone: zone, task: try TaskSpec(from: &reader))
    }

    /// The part in front of the task.
    static func timing(
        from reader: inout ByteReader
    ) throws(CodecError) -> (timing: Timing, zone: String) {
        let timing: Timing
        switch try reader.byte() {
        case 0:
            let expression = try reader.string()
            guard expression.utf8.count <= maxCronBytes else {
                throw CodecError("a cron expression of \(expression.utf8.count) bytes is too long")
            }
            timing = .cron(expression)
        case 1:
            timing = .every(
                milliseconds: try reader.milliseconds(
                    "period", in: 1...Limits.maxDelayMilliseconds))
        case let other: throw CodecError("\(other) is not a timing")
        }
        let zone = try reader.string()
        guard zone.utf8.count <= Limits.maxNameBytes else {
            throw CodecError("a zone of \(zone.utf8.count) bytes is too long")
        }
        return (timing, zone)
    }
}

extension Firing {
    func encode(into writer: inout ByteWriter) {
        writer.put(schedule)
        writer.put(revision)
        writer.put(expectedNext)
        writer.put(nominal)
        writer.put(missed)
        writer.put(next)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        schedule = try reader.string()
        revision = try reader.uint64()
        expectedNext = try reader.int64()
        nominal = try reader.optionalInstant("occurrence")
        missed = try reader.uint32()
        next = try reader.optionalInstant("next occurrence")
    }
}
