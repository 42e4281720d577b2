import Scheduler

/// `/v1/schedules/{name}/backfill`: occurrences in the past are made up for.
enum BackfillAPI {
    static func handle(_ name: String, _ call: Call) {
        guard call.allows(.post, .delete) else { return }
        if call.request.method == .post { start(name, call) } else { cancel(name, call) }
    }

    private struct Request {
        var from: Milliseconds
        var to: Milliseconds?
        var isSequential: Bool
    }

    private static func start(_ name: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let request = read(&reader)
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty, let request else { return call.reply(Problem.invalid(problems)) }
        // Only the schedule's rule tells which occurrence is the first.
        SchedulesAPI.withRule(name, call, options) { schedule, rule in
            let end = min(
                request.to ?? .max, call.context.clusterTime, (schedule.next ?? .max) - 1)
            guard request.from <= end else {
                return call.reply(
                    Problem.invalid([
                        JSONProblem(
                            pointer: "/from",
                            detail:
                                "must lie before \"to\", now and the schedule's next occurrence, which comes by itself"
                        )
                    ]))
            }
            let first = rule.next(after: request.from - 1)?.instant
            let backfill = Backfill(
                from: request.from, to: end, isSequential: request.isSequential, next: first)
            call.perform(
                .startBackfill(
                    name: call.namespace.qualified(name), revision: schedule.revision, backfill),
                options,
                noun: "schedule", name: name,
                wrongState: {
                    "A backfill of the schedule runs already, or the schedule was replaced meanwhile."
                }
            ) { _ in SchedulesAPI.reply(name, call, status: 202) }
        }
    }

    private static func read(_ reader: inout JSONReader) -> Request? {
        let from = reader.timestampMilliseconds("from", required: true)
        let to = reader.timestampMilliseconds("to")
        let overlap = reader.choice("overlap", of: ["allow", "buffer"]) ?? "allow"
        for (field, instant) in [("from", from), ("to", to)] {
            guard let instant, !(0...Limits.maxTime).contains(instant) else { continue }
            reader.problem(field, "is not between 1970 and 9999")
        }
        guard reader.problems.isEmpty, let from else { return nil }
        return Request(from: from, to: to, isSequential: overlap == "buffer")
    }

    private static func cancel(_ name: String, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        call.perform(
            .cancelBackfill(name: call.namespace.qualified(name)), options, noun: "schedule",
            name: name,
            wrongState: { "No backfill of the schedule runs." }
        ) { _ in SchedulesAPI.reply(name, call) }
    }
}
