import Scheduler

/// Settings as they are, with some given anew and some taken away: what `queue set` and `namespace set` put back.
struct SettingsUpdate {
    /// The word in the place of a value that takes a setting away.
    static let noneWord = "none"

    static let details = [
        "The value \"none\" takes a setting away. What is set is read, changed and put back: of two who do so at the same",
        "moment the second one may undo what the first one changed.",
    ]

    static let replace = OptionSpec(
        name: "replace", summary: "what is not given is without limit, whatever it was")

    /// By field; null takes it away.
    private var changes: [(field: String, json: [UInt8])] = []

    private static let null = Array("null".utf8)

    // MARK: What is given

    mutating func takeNumbers(
        _ options: [(name: String, field: String)], _ invocation: Invocation
    ) throws(CommandFailure) {
        for (name, field) in options where !takesAway(name, field, invocation) {
            guard let number = try invocation.integer(name, in: 0...Int64(UInt32.max)) else {
                continue
            }
            changes.append((field, Array(String(number).utf8)))
        }
    }

    mutating func takeTexts(
        _ options: [(name: String, field: String)], _ invocation: Invocation
    ) {
        for (name, field) in options where !takesAway(name, field, invocation) {
            guard let text = invocation.value(name) else { continue }
            var writer = JSONWriter()
            writer.string(text)
            changes.append((field, writer.bytes))
        }
    }

    mutating func takePriority(_ invocation: Invocation) throws(CommandFailure) {
        guard !takesAway("priority", "priority", invocation) else { return }
        guard let text = invocation.value("priority") else { return }
        changes.append(("priority", try TaskOptions.priority(text)))
    }

    mutating func takeJSON(
        _ options: [(name: String, field: String)], _ invocation: Invocation
    ) throws(CommandFailure) {
        for (name, field) in options where !takesAway(name, field, invocation) {
            guard let text = invocation.value(name) else { continue }
            do {
                changes.append((field, try JSONDocument(Array(text.utf8)).root.raw))
            } catch {
                throw .usage("--\(name) is not JSON: \(error.description)")
            }
        }
    }

    private mutating func takesAway(
        _ name: String, _ field: String, _ invocation: Invocation
    ) -> Bool {
        guard invocation.value(name) == Self.noneWord else { return false }
        changes.append((field, Self.null))
        return true
    }

    // MARK: What comes of it

    /// What stands at the path; nil if nothing does, or if it is not to stay.
    static func current(
        _ path: String, _ invocation: Invocation, _ client: ClusterClient
    ) throws(CommandFailure) -> JSONValue? {
        if invocation.flag("replace") { return nil }
        let response = try client.send(.get(path))
        if response.status == 404 { return nil }
        guard response.isSuccess else { throw ProblemText.failure(response) }
        return try ClusterClient.json(response)
    }

    /// - Parameter old: The settings so far; nil: there are none, or they are not to stay.
    /// - Parameter fields: What is kept of them.
    func body(keeping fields: [String], of old: JSONValue?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (field, json) in changes where json != Self.null {
            writer.rawField(JSONName(field), json)
        }
        for field in fields where !changes.contains(where: { $0.field == field }) {
            guard let member = old?[field], !member.isNull else { continue }
            writer.rawField(JSONName(field), member.raw)
        }
        writer.endObject()
        return writer.bytes
    }

    /// Whether the burst that goes with a rate is to be kept. One that was given stays until another is given; one that
    /// came of the old rate goes with it.
    func keepsBurst(_ burst: String, of rate: String, in old: JSONValue?) -> Bool {
        guard let change = changes.first(where: { $0.field == rate }) else { return true }
        guard change.json != Self.null, let text = old?[rate]?.string,
            let (count, period) = RateText.parse(text)
        else { return false }
        let usual = RateLimit(count: count, perMilliseconds: period).burst
        return old?[burst]?.integer != Int64(usual)
    }
}
