import Raft
import Scheduler

/// `/v1/schedules`.
enum SchedulesAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        let isMade = call.request.method == .put
        guard call.mayBeHere("schedule", name, isMade: isMade) else { return }
        switch path.dropFirst().first {
        case nil:
            guard call.allows(.get, .put, .delete) else { return }
            switch call.request.method {
            case .put: put(name, call)
            case .delete: delete(name, call)
            default: get(name, call)
            }
        case "pause" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            pause(name, call)
        case "resume" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            resume(name, call)
        case "trigger" where path.count == 2:
            guard call.allows(.post), call.hasNoBody() else { return }
            trigger(name, call)
        case "preview" where path.count == 2:
            guard call.allows(.get) else { return }
            preview(name, call)
        case "occurrences" where path.count == 2:
            guard call.allows(.get) else { return }
            occurrences(name, call)
        case "backfill" where path.count == 2:
            BackfillAPI.handle(name, call)
        default:
            call.replyUnknownPath()
        }
    }

    private static let neverWarning =
        "no time of this schedule lies ahead, or within 41 years: it will never run"

    // MARK: Writing

    private static func put(_ name: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        call.expanding(document, options) { document in
            put(name, document, call, options, query.problems)
        }
    }

    private static func put(
        _ name: String, _ document: JSONDocument, _ call: Call, _ options: Call.Options,
        _ queryProblems: [JSONProblem]
    ) {
        var reader = JSONReader(document.root)
        let request = ScheduleSpecReader.read(
            &reader, name: call.namespace.qualified(name), in: call.namespace,
            zones: &call.context.zones)
        reader.finish()
        var problems = reader.problems + queryProblems
        if !NameRule.isOwnName(name) || name.utf8.count > call.namespace.maxNameBytes {
            problems.append(
                JSONProblem(
                    pointer: "",
                    detail: "\"\(name)\" is not a schedule's name: \(NameRule.ownName)"))
        }
        guard problems.isEmpty, var request else { return call.reply(Problem.invalid(problems)) }
        request.spec.zoneData = call.context.zoneData
        countPassed(call.namespace.qualified(name), call) { replacing in
            put(name, request, replacing, call, options)
        }
    }

    /// What the schedule that is there has let pass, as far as this node knows.
    private static func countPassed(
        _ name: String, _ call: Call, then: @escaping (Replacement?) -> Void
    ) {
        guard let schedule = call.gateway.replica.scheduler.schedule(name),
            let first = schedule.next,
            // Without it, because this node lacks the zone, what is due counts as one.
            let rule = try? ScheduleRule(
                schedule.spec.timing, name: name, zone: schedule.spec.zone,
                policy: schedule.spec.policy, zones: &call.context.zones)
        else { return then(nil) }
        let passed = PassedOccurrences(call.context, rule, from: first)
        passed.countSlice {
            then(
                Replacement(
                    revision: schedule.revision, expectedNext: first,
                    passed: UInt32(min(passed.count, Int(UInt32.max))),
                    upcoming: passed.upcoming()))
        }
    }

    private static func put(
        _ name: String, _ request: ScheduleRequest, _ replacing: Replacement?, _ call: Call,
        _ options: Call.Options
    ) {
        let next = request.rule.next(after: call.context.clusterTime)?.instant
        call.perform(
            .putSchedule(
                name: call.namespace.qualified(name), request.spec, paused: request.isPaused,
                next: next, replacing: replacing), options,
            noun: "schedule", name: name, wrongState: { "" }
        ) { outcome in
            guard case .schedule(_, let existed) = outcome else {
                preconditionFailure("a schedule that is put comes to a schedule")
            }
            reply(
                name, call, status: existed ? 200 : 201,
                warnings: next == nil && !request.rule.isManual ? [neverWarning] : [])
        }
    }

    private static func delete(_ name: String, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        call.perform(
            .deleteSchedule(name: call.namespace.qualified(name)), options, noun: "schedule",
            name: name,
            wrongState: { "" }
        ) { _ in call.reply(HTTPResponse(status: 204)) }
    }

    private static func pause(_ name: String, _ call: Call) {
        guard let options = call.options() else { return }
        call.perform(
            .pauseSchedule(name: call.namespace.qualified(name)), options, noun: "schedule",
            name: name,
            wrongState: { "" }
        ) { _ in reply(name, call) }
    }

    private static func resume(_ name: String, _ call: Call) {
        guard let options = call.options() else { return }
        // The schedule must be looked at first: only its rule tells when it is due next.
        withRule(name, call, options) { schedule, rule in
            ScheduleResumption(call, options, schedule, rule).begin {
                reply(name, call)
            }
        }
    }

    private static func trigger(_ name: String, _ call: Call) {
        guard let options = call.options() else { return }
        let key = call.request.header("idempotency-key")
        if let key, let problem = TasksAPI.wrong(key, besides: nil) {
            return call.reply(Problem.invalid([problem]))
        }
        call.perform(
            .triggerSchedule(name: call.namespace.qualified(name), key: key), options,
            noun: "schedule", name: name, wrongState: { "" }
        ) { outcome in
            guard case .task(let id, let existed) = outcome else {
                preconditionFailure("a schedule that is triggered comes to a task")
            }
            TasksAPI.reply(to: id, existed: existed, call)
        }
    }

    // MARK: Reading

    private static func list(_ call: Call) {
        NamedList<ScheduleView>.reply(
            to: call,
            NamedList.Source(
                find: {
                    call.gateway.replica.scheduler.schedules(
                        in: call.namespace, after: $0, limit: $1)
                },
                name: { Namespace.bare($0.name) }, write: { $1.schedule($0) }))
    }

    private static func get(_ name: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(name, call) }
    }

    private static func occurrences(_ name: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) {
            guard
                let ends = call.gateway.replica.scheduler.occurrences(
                    of: call.namespace.qualified(name))
            else {
                return call.reply(Problem.notFound("schedule", name))
            }
            call.reply { writer in
                writer.beginObject()
                writer.key("items")
                writer.beginArray()
                for end in ends { writer.occurrence(end) }
                writer.endArray()
                // All that are kept.
                writer.nullField("next")
                writer.endObject()
            }
        }
    }

    private static func preview(_ name: String, _ call: Call) {
        var query = call.query
        let count =
            query.integer("count", in: 1...APILimits.maxPreviewItems)
            ?? APILimits.defaultPreviewItems
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else {
            return call.reply(Problem.invalid(query.problems))
        }
        withRule(name, call, options) { _, rule in
            call.reply { writer in
                write(rule, count, after: call.context.clusterTime, to: &writer)
            }
        }
    }

    private static func write(
        _ rule: ScheduleRule, _ count: Int, after start: Milliseconds, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        var last = start
        var skippedBudget = APILimits.maxPreviewItems
        for _ in 0..<count {
            guard let occurrence = rule.next(after: last) else { break }
            let skipped = rule.skipped(
                after: last, before: occurrence.instant, limit: skippedBudget)
            skippedBudget -= skipped.count
            for reading in skipped { write(reading, to: &writer) }
            write(occurrence, to: &writer)
            last = occurrence.instant
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ occurrence: Cron.Occurrence, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.timestampField("at", occurrence.instant)
        switch occurrence.change {
        case .none: writer.nullField("change")
        case .shifted: writer.field("change", "shifted")
        case .repeated: writer.field("change", "repeated")
        }
        writer.endObject()
    }

    /// Without a `Z`, as it is the reading of a clock that was nowhere seen.
    private static func write(_ reading: Cron.SkippedReading, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.timestampField("at", reading.instant)
        writer.field("change", "skipped")
        writer.field("local", String(Timestamp.format(reading.local * 1000).prefix(19)))
        writer.endObject()
    }

    // MARK: Parts

    static func withRule(
        _ name: String, _ call: Call, _ options: Call.Options,
        _ body: @escaping (ScheduleView, ScheduleRule) -> Void
    ) {
        call.read(options) {
            guard
                let schedule = call.gateway.replica.scheduler.schedule(
                    call.namespace.qualified(name))
            else {
                return call.reply(Problem.notFound("schedule", name))
            }
            let rule: ScheduleRule
            do throws(ScheduleRuleError) {
                let spec = schedule.spec
                rule = try ScheduleRule(
                    spec.timing, name: schedule.name, zone: spec.zone, policy: spec.policy,
                    zones: &call.context.zones)
            } catch {
                // Another node took it, whose time-zone data is not the same.
                return call.reply(
                    Problem.conflict("This node can't compute its times: \(error.reason)."))
            }
            body(schedule, rule)
        }
    }

    static func reply(
        _ name: String, _ call: Call, status: Int = 200, warnings: [String] = []
    ) {
        guard let schedule = call.gateway.replica.scheduler.schedule(call.namespace.qualified(name))
        else {
            return call.reply(Problem.notFound("schedule", name))
        }
        call.reply(status: status) { $0.schedule(schedule, warnings: warnings) }
    }
}
