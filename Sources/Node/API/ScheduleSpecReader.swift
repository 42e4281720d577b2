import Scheduler

/// A schedule as it is put.
struct ScheduleRequest {
    var spec: ScheduleSpec
    var isPaused: Bool
    var rule: ScheduleRule
}

/// Reads a schedule from a request's body.
struct ScheduleSpecReader {
    private static let unavailable = ["at", "overlap", "catchUp", "jitter", "dst", "until"]
    private static let maxCronBytes = 512

    /// nil if anything is wrong; what, stands in the reader's problems. `finish` is left to the caller.
    static func read(
        _ reader: inout JSONReader, zones: inout ZoneTable
    ) -> ScheduleRequest? {
        let problemCount = reader.problems.count
        let timing = timing(&reader)
        var zone = reader.string("zone", maxBytes: Limits.maxNameBytes, allowEmpty: false)
        if case .every = timing, reader.has("zone") {
            reader.problem("zone", "goes with \"cron\": a period has no zone")
        }
        var task: TaskSpec?
        reader.object("task", required: true) { inner in
            task = TaskSpecReader.read(&inner, as: .schedule)
        }
        let isPaused = reader.bool("paused") ?? false
        for field in unavailable where reader.value(field) != nil {
            reader.problem(field, "is not supported by this version")
        }
        if case .cron(let text) = timing, let own = zoneName(of: text) {
            if let zone, zone != own {
                reader.problem("zone", "\"\(zone)\" is not the zone \"\(own)\" in \"cron\"")
            }
            zone = own
        }
        guard let timing, let task, reader.problems.count == problemCount else { return nil }
        let spec = ScheduleSpec(timing: timing, zone: zone ?? "UTC", task: task)
        do {
            let rule = try ScheduleRule(
                spec.timing, zone: spec.zone, policy: spec.policy, zones: &zones)
            return ScheduleRequest(spec: spec, isPaused: isPaused, rule: rule)
        } catch {
            reader.problem(error.field, error.reason)
            return nil
        }
    }

    private static func timing(_ reader: inout JSONReader) -> ScheduleSpec.Timing? {
        let cron = reader.string("cron", maxBytes: maxCronBytes, allowEmpty: false)
        let every = reader.string("every")
        guard reader.has("cron") != reader.has("every") else {
            reader.problem("either \"cron\" or \"every\" is required, and not both")
            return nil
        }
        if let cron {
            do {
                _ = try Cron(cron)
                return .cron(cron)
            } catch {
                reader.problem("cron", error.description)
            }
        } else if let every {
            do {
                let period = try Cron.period(every)
                guard period <= Limits.maxDelayMilliseconds else {
                    let most = DurationText.format(Limits.maxDelayMilliseconds)
                    reader.problem("every", "\(every) is longer than \(most)")
                    return nil
                }
                return .every(milliseconds: period)
            } catch {
                reader.problem("every", error.description)
            }
        }
        return nil
    }

    /// The zone that an expression, already found to be good, names itself.
    private static func zoneName(of expression: String) -> String? {
        guard let cron = try? Cron(expression) else { return nil }
        return cron.zoneName
    }
}
