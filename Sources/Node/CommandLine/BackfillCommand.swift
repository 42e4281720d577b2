/// `carillon schedule backfill`.
enum BackfillCommand {
    private static let pollMilliseconds: Int64 = 250

    static let spec = CommandSpec(
        name: "backfill", summary: "make up for occurrences in the past",
        details: [
            "What is known to have fired is left out.",
            "Without --wait it goes on by itself; \"carillon schedule get\" shows how far it is.",
        ],
        operands: [OperandSpec(name: "NAME")],
        options: [
            OptionSpec(name: "from", value: "TIME", summary: "the first instant"),
            OptionSpec(name: "to", value: "TIME", summary: "the last instant (default now)"),
            OptionSpec(
                name: "overlap", value: "HOW",
                summary: "allow: beside each other (default), buffer: one after the other",
                words: ["allow", "buffer"]),
            OptionSpec(name: "wait", summary: "until it has ended"),
            OptionSpec(name: "cancel", summary: "end the one that runs"),
        ],
        examples: [
            "carillon schedule backfill report --from 2026-11-01T00:00:00Z --wait"
        ],
        run: run)

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let path = "/v1/schedules/" + PercentEncoding.encode(invocation.operands[0])
        let from = try invocation.timestamp("from")
        let to = try invocation.timestamp("to")
        let overlap = try invocation.choice("overlap", of: ["allow", "buffer"])
        let format = try invocation.output()
        let client = try invocation.client()
        if invocation.flag("cancel") {
            let response = try client.sendExpectingSuccess(.delete(path + "/backfill"))
            show(try ClusterClient.json(response), format, invocation)
            return 0
        }
        guard let from else {
            throw .usage("give --from TIME, or --cancel")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("from", from)
        if let to { writer.field("to", to) }
        if let overlap { writer.field("overlap", overlap) }
        writer.endObject()
        let response = try client.sendExpectingSuccess(
            .post(path + "/backfill", body: writer.bytes))
        var schedule = try ClusterClient.json(response)
        var line = TransientLine(console: invocation.console)
        while invocation.flag("wait"), schedule["backfill"]?["state"]?.string == "running" {
            line.show { _ in text(schedule["backfill"] ?? schedule) }
            Pause.take(milliseconds: pollMilliseconds)
            schedule = try client.json(.get(path))
        }
        line.finish()
        show(schedule, format, invocation)
        return 0
    }

    private static func show(
        _ schedule: JSONValue, _ format: Invocation.OutputFormat, _ invocation: Invocation
    ) {
        switch format {
        case .json: invocation.console.write(schedule.raw + [0x0A])
        case .table:
            guard let backfill = schedule["backfill"], !backfill.isNull else { return }
            invocation.console.print("backfill of \(invocation.operands[0]): \(text(backfill))")
        }
    }

    /// As `running: 300 ran, 2 had fired before, at 2026-11-03T00:00:00.000Z`.
    static func text(_ backfill: JSONValue) -> String {
        var text = "\(backfill.shown("state")): \(backfill.shown("ran")) ran"
        if backfill["repeated"]?.integer ?? 0 > 0 {
            text += ", \(backfill.shown("repeated")) had fired before"
        }
        if backfill["skipped"]?.integer ?? 0 > 0 {
            text += ", \(backfill.shown("skipped")) skipped"
        }
        if let next = backfill["next"]?.string { text += ", at \(next)" }
        return text
    }
}
