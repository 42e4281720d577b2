import Scheduler

/// A schedule as it is put.
struct ScheduleRequest {
    var spec: ScheduleSpec
    /// nil: as it is.
    var isPaused: Bool?
    var rule: ScheduleRule
}

/// Reads a schedule from a request's body.
struct ScheduleSpecReader {
    private static let maxCronBytes = 512
    /// Stand in what is returned, and say nothing when it is put again.
    static let returnedFields = [
        "name", "createdAt", "next", "last", "lastTask", "waiting", "zoneData",
        "counters", "backfill", "warnings",
    ]

    /// nil if anything is wrong; what, stands in the reader's problems. `finish` is left to the caller.
    static func read(
        _ reader: inout JSONReader, name: String, in namespace: Namespace = .standard,
        zones: inout ZoneTable
    ) -> ScheduleRequest? {
        let problemCount = reader.problems.count
        let timing = timing(&reader)
        var zone = reader.string("zone", maxBytes: Limits.maxNameBytes, allowEmpty: false)
        if let timing, reader.has("zone") {
            switch timing {
            case .cron: break
            case .every: reader.problem("zone", "goes with \"cron\": a period has no zone")
            case .at: reader.problem("zone", "goes with \"cron\": instants need none")
            }
        }
        let policy = SchedulePolicyReader.read(&reader, for: timing)
        var task: TaskSpec?
        reader.object("task", required: true) { inner in
            task = TaskSpecReader.read(&inner, as: .schedule, in: namespace)
        }
        // Its task is returned as it came of the template, whose name stands beside it.
        let template = TaskSpecReader.ownName("template", namespace, &reader)
        if task?.template == nil { task?.template = template }
        let isPaused = reader.bool("paused")
        for field in returnedFields { _ = reader.value(field) }
        var zoneField = "zone"
        if case .cron(let text) = timing, let own = zoneName(of: text) {
            zoneField = "cron"
            if let zone, zone != own {
                reader.problem("zone", "\"\(zone)\" is not the zone \"\(own)\" in \"cron\"")
            }
            zone = own
        }
        guard let timing, let task, reader.problems.count == problemCount else { return nil }
        let spec = ScheduleSpec(
            timing: timing, zone: zone ?? "UTC", policy: policy, task: task)
        do {
            let rule = try ScheduleRule(
                spec.timing, name: name, zone: spec.zone, policy: spec.policy, zones: &zones)
            return ScheduleRequest(spec: spec, isPaused: isPaused, rule: rule)
        } catch {
            reader.problem(error.field == "zone" ? zoneField : error.field, error.reason)
            return nil
        }
    }

    private static func timing(_ reader: inout JSONReader) -> ScheduleSpec.Timing? {
        let given = ["cron", "every", "at"].filter { reader.has($0) }
        if reader.has("phase"), given != ["every"] {
            reader.problem("phase", "goes with \"every\"")
        }
        let cron = reader.string("cron", maxBytes: maxCronBytes, allowEmpty: false)
        let every = reader.string("every")
        let instants = instants(&reader)
        let phase = reader.durationMilliseconds("phase", in: 0...Limits.maxDelayMilliseconds) ?? 0
        guard given.count == 1 else {
            reader.problem("exactly one of \"cron\", \"every\" and \"at\" is required")
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
            return timing(every: every, phase: phase, &reader)
        }
        return instants.map { .at($0) }
    }

    private static func timing(
        every: String, phase: Milliseconds, _ reader: inout JSONReader
    ) -> ScheduleSpec.Timing? {
        do {
            let period = try Cron.period(every)
            guard period <= Limits.maxDelayMilliseconds else {
                let most = DurationText.format(Limits.maxDelayMilliseconds)
                reader.problem("every", "\(every) is longer than \(most)")
                return nil
            }
            guard phase < period else {
                reader.problem("phase", "must be shorter than the period, which is \(every)")
                return nil
            }
            return .every(milliseconds: period, phase: phase)
        } catch {
            reader.problem("every", error.description)
            return nil
        }
    }

    /// Ascending, each once.
    private static func instants(_ reader: inout JSONReader) -> [Milliseconds]? {
        guard
            let texts = reader.strings(
                "at", maxCount: Limits.maxScheduleInstants, maxBytes: 64)
        else { return nil }
        guard !texts.isEmpty else {
            reader.problem("at", "must not be empty")
            return nil
        }
        func refuse(_ place: Int, _ detail: String) -> [Milliseconds]? {
            reader.add([JSONProblem(pointer: "\(reader.pointer)/at/\(place)", detail: detail)])
            return nil
        }
        var instants: Set<Milliseconds> = []
        for (place, text) in texts.enumerated() {
            do {
                let instant = try Timestamp.parse(text)
                guard (0...Limits.maxTime).contains(instant) else {
                    return refuse(place, "is not between 1970 and 9999")
                }
                instants.insert(instant)
            } catch {
                return refuse(place, error.description)
            }
        }
        return instants.sorted()
    }

    /// The zone that an expression, already found to be good, names itself.
    private static func zoneName(of expression: String) -> String? {
        guard let cron = try? Cron(expression) else { return nil }
        return cron.zoneName
    }
}
