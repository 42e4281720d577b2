/// The options that describe a task, shared by `submit` and `schedule create`, and the JSON they make.
enum TaskOptions {
    static let specs = [
        OptionSpec(
            name: "payload", value: "JSON|@FILE|-",
            summary: "what the handler gets, kept byte for byte; from a file, or standard input"),
        OptionSpec(name: "queue", value: "QUEUE", summary: "lane (default: default)"),
        OptionSpec(
            name: "priority", value: "N", summary: "0 to 9, higher first, or low, normal, high",
            words: priorityWords),
        OptionSpec(
            name: "tag", value: "TAG", summary: "a worker must have all these tags",
            isRepeated: true),
        OptionSpec(name: "attempts", value: "N", summary: "at most so many attempts (default 3)"),
        OptionSpec(
            name: "backoff", value: "exponential|linear|fixed",
            summary: "how the pause between attempts grows (default exponential)"),
        OptionSpec(
            name: "retry-initial", value: "DURATION", summary: "the first pause (default 1s)"),
        OptionSpec(
            name: "retry-max", value: "DURATION", summary: "the longest pause (default 5m)"),
        OptionSpec(
            name: "delivery", value: "atLeastOnce|atMostOnce",
            summary: "whether an attempt that was lost is repeated (default atLeastOnce)"),
        OptionSpec(
            name: "timeout", value: "DURATION", summary: "longest run of one attempt (default 5m)"),
        OptionSpec(
            name: "overall-timeout", value: "DURATION",
            summary: "longest time to its end, with all attempts and pauses"),
        OptionSpec(
            name: "retry-kind", value: "KIND",
            summary: "tried again only after such failures: timeout, connection, ...",
            isRepeated: true),
        OptionSpec(
            name: "webhook", value: "URL", summary: "told of the task's end, by a signed request"),
        OptionSpec(
            name: "expires", value: "DURATION", summary: "how late it may still start"),
        OptionSpec(
            name: "routing-key", value: "KEY",
            summary: "tasks with the same key go to the same worker"),
        OptionSpec(
            name: "cache", value: "DURATION",
            summary: "a result of the same handler and payload will do that is not older"),
        OptionSpec(name: "meta", value: "NAME=VALUE", summary: "a label", isRepeated: true),
    ]

    /// What a new task can be made from.
    static let templateSpecs = [
        OptionSpec(
            name: "template", value: "NAME", summary: "a stored task, for what is not given here"),
        OptionSpec(
            name: "param", value: "NAME=VALUE", summary: "of the template: JSON, or else a text",
            isRepeated: true),
    ]

    static let maxPayloadBytes = 1 << 20

    /// Writes the members of a task into an open object.
    static func write(
        handler: String?, _ invocation: Invocation, into writer: inout JSONWriter
    ) throws(CommandFailure) {
        try writeTemplate(invocation, into: &writer)
        if let handler { writer.field("handler", handler) }
        if let payload = try payload(invocation) { writer.rawField("payload", payload) }
        if let queue = invocation.value("queue") { writer.field("queue", queue) }
        if let priority = invocation.value("priority") {
            writer.rawField("priority", try Self.priority(priority))
        }
        let tags = invocation.list("tag")
        if !tags.isEmpty { writer.field("tags", tags) }
        try writeRetry(invocation, into: &writer)
        if let delivery = try invocation.choice("delivery", of: ["atLeastOnce", "atMostOnce"]) {
            writer.field("delivery", delivery)
        }
        if let timeout = try invocation.duration("timeout") { writer.field("timeout", timeout) }
        if let limit = try invocation.duration("overall-timeout") {
            writer.field("overallTimeout", limit)
        }
        if let url = invocation.value("webhook") { writer.field("webhook", url) }
        if let expires = try invocation.duration("expires") { writer.field("expires", expires) }
        if let key = invocation.value("routing-key") { writer.field("routingKey", key) }
        if let cache = try invocation.duration("cache") { writer.field("cache", cache) }
        let labels = try invocation.pairs("meta")
        if !labels.isEmpty {
            writer.key("meta")
            writer.beginObject()
            for (name, value) in labels { writer.field(JSONName(name), value) }
            writer.endObject()
        }
    }

    private static func writeRetry(
        _ invocation: Invocation, into writer: inout JSONWriter
    ) throws(CommandFailure) {
        guard
            ["attempts", "backoff", "retry-initial", "retry-max", "retry-kind"]
                .contains(where: invocation.flag)
        else { return }
        writer.key("retry")
        writer.beginObject()
        if let attempts = try invocation.integer("attempts", in: 1...1000) {
            writer.field("attempts", attempts)
        }
        if let backoff = try invocation.choice("backoff", of: ["exponential", "linear", "fixed"]) {
            writer.field("backoff", backoff)
        }
        if let initial = try invocation.duration("retry-initial") {
            writer.field("initial", initial)
        }
        if let max = try invocation.duration("retry-max") { writer.field("max", max) }
        let kinds = invocation.list("retry-kind")
        if !kinds.isEmpty { writer.field("kinds", kinds) }
        writer.endObject()
    }

    private static func writeTemplate(
        _ invocation: Invocation, into writer: inout JSONWriter
    ) throws(CommandFailure) {
        let parameters = try invocation.pairs("param")
        guard let template = invocation.value("template") else {
            guard parameters.isEmpty else { throw .usage("--param goes with --template") }
            return
        }
        writer.field("template", template)
        guard !parameters.isEmpty else { return }
        writer.key("params")
        writer.beginObject()
        for (name, text) in parameters {
            let json = Array(text.utf8)
            if JSONDocument.isValid(json) {
                writer.rawField(JSONName(name), json)
            } else {
                writer.field(JSONName(name), text)
            }
        }
        writer.endObject()
    }

    /// A number, or a word that stands for one.
    static func priority(_ text: String) throws(CommandFailure) -> [UInt8] {
        if priorityWords.contains(text) { return Array("\"\(text)\"".utf8) }
        guard let number = Int64(text), (0...9).contains(number) else {
            throw .usage("--priority \(text): expected 0 to 9, or low, normal or high")
        }
        return Array(String(number).utf8)
    }

    static let priorityWords = ["low", "normal", "high"]

    private static func payload(_ invocation: Invocation) throws(CommandFailure) -> [UInt8]? {
        guard let text = invocation.value("payload") else { return nil }
        let bytes: [UInt8]
        if text == "-" {
            bytes = try InputFile.contents(of: "-", maxBytes: maxPayloadBytes)
        } else if text.hasPrefix("@") {
            bytes = try InputFile.contents(of: String(text.dropFirst()), maxBytes: maxPayloadBytes)
        } else {
            bytes = Array(text.utf8)
        }
        do {
            // Without the spaces around it, such as a file's last newline.
            return try JSONDocument(bytes).root.raw
        } catch {
            throw .usage(
                "--payload is not JSON: \(error.description)\n"
                    + "  a text needs quotation marks of its own: --payload '\"hello\"'")
        }
    }
}
