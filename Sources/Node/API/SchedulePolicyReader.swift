import Scheduler

/// Reads what a schedule does beside its times: overlap, catch-up, jitter, its end, changing clocks.
struct SchedulePolicyReader {
    private static let delays = 0...Limits.maxDelayMilliseconds

    /// What is wrong stands in the reader's problems.
    static func read(_ reader: inout JSONReader, for timing: ScheduleSpec.Timing?) -> SchedulePolicy
    {
        var policy = SchedulePolicy()
        let names = OverlapPolicy.allCases.map(\.name)
        if let word = reader.choice("overlap", of: names) {
            policy.overlap = OverlapPolicy.allCases.first { $0.name == word } ?? policy.overlap
        }
        policy.catchUp = catchUp(&reader) ?? policy.catchUp
        if let jitter = reader.durationMilliseconds("jitter", in: delays) {
            policy.jitterMilliseconds = jitter
        }
        if let until = reader.timestampMilliseconds("until") {
            if (0...Limits.maxTime).contains(until) {
                policy.until = until
            } else {
                reader.problem("until", "is not between 1970 and 9999")
            }
        }
        readDaylight(&reader, timing, into: &policy.daylight)
        return policy
    }

    /// `"none"`, `"latest"`, `{"all": 100}` or `{"within": "1h"}`.
    private static func catchUp(_ reader: inout JSONReader) -> CatchUpPolicy? {
        guard let value = reader.value("catchUp"), !value.isNull else { return nil }
        let expected = "expected \"none\", \"latest\", {\"all\": NUMBER} or {\"within\": DURATION}"
        switch value.kind {
        case .string where value.string == "none": return CatchUpPolicy.none
        case .string where value.string == "latest": return .latest
        case .object:
            var found: [CatchUpPolicy] = []
            reader.object("catchUp") { inner in
                let all = inner.integer("all", in: 1...Int64(CatchUpPolicy.maxAll))
                if let all { found.append(.all(UInt32(all))) }
                let within = inner.durationMilliseconds("within", in: delays)
                if let within { found.append(.within(milliseconds: within)) }
                if inner.has("all") == inner.has("within") { inner.problem(expected) }
            }
            return found.first
        default:
            reader.problem("catchUp", expected)
            return nil
        }
    }

    private static func readDaylight(
        _ reader: inout JSONReader, _ timing: ScheduleSpec.Timing?,
        into daylight: inout DaylightPolicy
    ) {
        var gap: String?
        var overlap: String?
        reader.object("dst") { inner in
            gap = inner.choice("gap", of: DaylightPolicy.Gap.allCases.map(\.rawValue))
            overlap = inner.choice("overlap", of: DaylightPolicy.Overlap.allCases.map(\.rawValue))
        }
        daylight = DaylightPolicy(
            gap: gap.flatMap(DaylightPolicy.Gap.init),
            overlap: overlap.flatMap(DaylightPolicy.Overlap.init))
        guard gap != nil || overlap != nil, let timing else { return }
        guard case .cron = timing else {
            return reader.problem("dst", "goes with \"cron\": nothing else follows the clocks")
        }
    }
}
