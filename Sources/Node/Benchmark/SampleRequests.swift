import Raft
import Scheduler

/// What the parts work on: submissions of tasks with 256 bytes of payload, and what a node makes of them.
enum SampleRequests {
    static let payloadBytes = 256

    /// A whole request, as `carillon bench` sends it.
    static func submission(_ form: RequestTemplate.Form) -> [UInt8] {
        let head = """
            POST /v1/tasks HTTP/1.1\r
            Host: 127.0.0.1:7201\r
            User-Agent: carillon-bench/\(ProductVersion.text)\r
            X-Carillon-Namespace: bench\r

            """
        var template = RequestTemplate(
            head: Array(head.utf8), form: form, fields: "\"handler\":\"echo\"",
            payloadBytes: payloadBytes, keyPrefix: nil)
        return template.request(numberedFrom: 1)
    }

    /// The body of one.
    static func body(_ form: RequestTemplate.Form) -> [UInt8] {
        let request = submission(form)
        var parser = HTTPHeadParser()
        let parsed = PartMeter.sound { () throws(HTTPFailure) in
            try parser.parse(request.span, limits: HTTPLimits())
        }
        return Array(request[(parsed?.byteCount ?? 0)...])
    }

    /// So many submissions, as a node forwards them or puts them into its own entry.
    static func group(_ count: Int) -> CommandGroup {
        var group = CommandGroup(origin: "n1", incarnation: 7, acknowledgedBelow: 1)
        let command = Command.submit(Workbench.task()).encoded()
        group.reserve(bytes: count * (CommandGroup.commandHeaderBytes + command.count))
        for sequence in 1...count { group.append(sequence: UInt64(sequence), command: command) }
        return group
    }

    /// The bytes of a log entry that holds so many.
    static func entry(_ count: Int) -> [UInt8] {
        EntryPayload(time: 1_700_000_000_000, groups: [group(count)]).encoded()
    }
}
