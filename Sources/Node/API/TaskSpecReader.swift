import Scheduler

/// Reads a task as it is submitted, alone or as part of a schedule. Limits are those of the state machine;
/// what is over one is told with its place instead of being rejected there without.
struct TaskSpecReader {
    enum Position {
        case submission
        /// A schedule says when its tasks run, and each of them is a new one.
        case schedule
        /// What it waits for is a matter of the whole workflow.
        case graph
    }

    private static let priorities: [(name: String, value: UInt8)] = [
        ("low", 2), ("normal", 5), ("high", 8),
    ]
    private static let startFields = ["delay", "runAt", "key", "after", "onDependencyFailure"]

    /// nil if anything is wrong; what, stands in the reader's problems. `finish` is left to the caller.
    static func read(
        _ reader: inout JSONReader, as position: Position, in namespace: Namespace = .standard
    ) -> TaskSpec? {
        guard reader.value.kind == .object else { return nil }
        let problemCount = reader.problems.count
        let handler = name("handler", &reader, required: true)
        // Made by the state machine alone: what it sends is signed with the cluster's secret.
        if handler == Webhook.handler {
            reader.problem(
                "handler", "\"\(Webhook.handler)\" is reserved: see the field \"webhook\"")
        }
        var spec = TaskSpec(handler: handler ?? "")
        if let payload = reader.raw("payload", maxBytes: Limits.maxPayloadBytes) {
            spec.payload = payload
        }
        switch position {
        case .submission:
            readStart(&reader, into: &spec)
            readDependencies(&reader, into: &spec)
        case .schedule: refuse(startFields, "does not belong to a schedule's task", &reader)
        case .graph:
            readStart(&reader, into: &spec)
            readPolicy(&reader, into: &spec)
            refuse(["key"], "does not belong to a workflow's task: give the whole a key", &reader)
        }
        spec.queue = namespace.qualified(ownName("queue", namespace, &reader) ?? "default")
        if let priority = priority(&reader) { spec.priority = priority }
        readRetry(&reader, into: &spec.retry)
        if let timeout = reader.durationMilliseconds(
            "timeout", in: 1...Limits.maxTimeoutMilliseconds)
        {
            spec.timeoutMilliseconds = timeout
        }
        spec.expiresMilliseconds = reader.durationMilliseconds(
            "expires", in: 1...Limits.maxDelayMilliseconds)
        spec.cacheMilliseconds = reader.durationMilliseconds(
            "cache", in: 1...Limits.maxCacheMilliseconds)
        readPlacement(&reader, into: &spec)
        readLabels(&reader, into: &spec)
        spec.overallTimeoutMilliseconds = reader.durationMilliseconds(
            "overallTimeout", in: 1...Limits.maxDelayMilliseconds)
        spec.webhook = webhook("webhook", &reader)
        // What it holds stands in the other fields by now.
        spec.template = ownName("template", namespace, &reader)
        if let parameters = reader.value("params"), !parameters.isNull {
            reader.problem("params", "goes with \"template\"")
        }
        return reader.problems.count == problemCount ? spec : nil
    }

    /// A task that names no priority has that of its queue, as this node knows it.
    static func complete(_ spec: inout TaskSpec, from value: JSONValue, _ gateway: Gateway) {
        guard namesNoPriority(value),
            let priority = gateway.queuePriority(spec.queue)
        else { return }
        spec.priority = priority
    }

    static func namesNoPriority(_ value: JSONValue) -> Bool {
        value["priority"].map(\.isNull) ?? true
    }

    // MARK: Parts

    private static func name(
        _ field: String, _ reader: inout JSONReader, required: Bool
    ) -> String? {
        guard
            let text = reader.string(
                field, maxBytes: Limits.maxNameBytes, allowEmpty: false, required: required)
        else { return nil }
        guard NameRule.isName(text) else {
            reader.problem(field, "\"\(text)\" is not a name: \(NameRule.name)")
            return nil
        }
        return text
    }

    /// The name of something that lives in a namespace.
    static func ownName(
        _ field: String, _ namespace: Namespace, _ reader: inout JSONReader
    ) -> String? {
        guard
            let text = reader.string(field, maxBytes: namespace.maxNameBytes, allowEmpty: false)
        else { return nil }
        guard NameRule.isOwnName(text) else {
            reader.problem(field, "\"\(text)\" is not a name: \(NameRule.ownName)")
            return nil
        }
        return text
    }

    private static func readStart(_ reader: inout JSONReader, into spec: inout TaskSpec) {
        let delay = reader.durationMilliseconds("delay", in: 0...Limits.maxDelayMilliseconds)
        let runAt = reader.timestampMilliseconds("runAt")
        if reader.has("delay"), reader.has("runAt") {
            reader.problem("runAt", "can't stand beside \"delay\"")
        }
        // The log has the last word, by its own clock; here the field can be named.
        if let runAt, runAt - SystemClock.wallMilliseconds() > Limits.maxDelayMilliseconds {
            let most = DurationText.format(Limits.maxDelayMilliseconds)
            reader.problem("runAt", "is more than \(most) ahead")
        }
        if let delay {
            spec.start = delay == 0 ? .now : .after(milliseconds: delay)
        } else if let runAt {
            spec.start = .at(runAt)
        }
        spec.key = plain("key", maxBytes: Limits.maxKeyBytes, &reader)
    }

    private static func refuse(
        _ fields: [String], _ reason: String, _ reader: inout JSONReader
    ) {
        for field in fields {
            guard let value = reader.value(field), !value.isNull else { continue }
            reader.problem(field, reason)
        }
    }

    private static func readDependencies(_ reader: inout JSONReader, into spec: inout TaskSpec) {
        let texts = reader.strings("after", maxCount: Limits.maxDependencies) ?? []
        var problems: [JSONProblem] = []
        for (ordinal, text) in texts.enumerated() {
            if let task = TaskID(text) {
                spec.after.append(task)
            } else {
                problems.append(
                    JSONProblem(
                        pointer: "\(reader.pointer)/after/\(ordinal)",
                        detail: "\"\(text)\" is not a task's id"))
            }
        }
        reader.add(problems)
        if texts.isEmpty, reader.has("onDependencyFailure") {
            reader.problem("onDependencyFailure", "means nothing without \"after\"")
        }
        let names = spec.after.map(\.description)
        if let problem = missingResult(spec, names) { reader.problem("payload", problem) }
        readPolicy(&reader, into: &spec)
    }

    /// What is wrong with a payload that wants results of tasks that the task doesn't wait for. Found here, it costs nobody
    /// the attempts of all that come before. nil: nothing, as for a task that waits for none: there it is text.
    static func missingResult(_ spec: TaskSpec, _ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        return Assignment.missingResult(in: spec.payload, among: Set(names)).map {
            "wants the result of \"\($0)\", which the task does not wait for (\"after\")"
        }
    }

    private static func readPolicy(_ reader: inout JSONReader, into spec: inout TaskSpec) {
        let names = TaskSpec.DependencyPolicy.allCases.map(\.name)
        guard let name = reader.choice("onDependencyFailure", of: names) else { return }
        if let policy = TaskSpec.DependencyPolicy.allCases.first(where: { $0.name == name }) {
            spec.onDependencyFailure = policy
        }
    }

    /// A number, or a word for one.
    static func priority(_ reader: inout JSONReader) -> UInt8? {
        guard let value = reader.value("priority"), !value.isNull else { return nil }
        if let number = value.integer, (0...9).contains(number) { return UInt8(number) }
        if let word = value.string, let known = priorities.first(where: { $0.name == word }) {
            return known.value
        }
        let names = priorities.map { "\"\($0.name)\"" }.joined(separator: ", ")
        reader.problem("priority", "expected a whole number from 0 to 9, or one of \(names)")
        return nil
    }

    private static func readRetry(_ reader: inout JSONReader, into policy: inout RetryPolicy) {
        var read = policy
        reader.object("retry") { retry in
            if let attempts = retry.integer("attempts", in: 1...Int64(Limits.maxAttempts)) {
                read.attempts = UInt32(attempts)
            }
            switch retry.choice("backoff", of: ["exponential", "linear", "fixed"]) {
            case "linear": read.backoff = .linear
            case "fixed": read.backoff = .fixed
            default: read.backoff = .exponential
            }
            let initial = retry.durationMilliseconds(
                "initial", in: 0...Limits.maxDelayMilliseconds)
            let max = retry.durationMilliseconds("max", in: 0...Limits.maxDelayMilliseconds)
            if let initial { read.initialMilliseconds = initial }
            // A first delay above the default ceiling raises it, else the two would contradict each other.
            read.maxMilliseconds = max ?? Swift.max(read.maxMilliseconds, read.initialMilliseconds)
            if read.maxMilliseconds < read.initialMilliseconds {
                retry.problem("max", "is shorter than \"initial\"")
            }
            if let jitter = retry.bool("jitter") { read.jitter = jitter }
            read.kinds = kinds(&retry)
        }
        policy = read
    }

    private static func kinds(_ reader: inout JSONReader) -> [String] {
        let kinds = reader.strings(
            "kinds", maxCount: Limits.maxRetryKinds, maxBytes: Limits.maxNameBytes,
            allowEmpty: false)
        guard let kinds else { return [] }
        if kinds.isEmpty {
            reader.problem(
                "kinds", "must not be empty; \"attempts\": 1 says that nothing is tried again")
        }
        for kind in kinds where !NameRule.isPlain(kind) {
            reader.problem("kinds", "\"\(kind)\" has control characters")
        }
        return ordered(kinds)
    }

    /// An address that is told of something.
    static func webhook(_ field: String, _ reader: inout JSONReader) -> String? {
        guard let text = reader.string(field, maxBytes: Limits.maxWebhookBytes) else { return nil }
        guard Webhook.isAddress(text.utf8) else {
            reader.problem(field, "must be an address that begins with http:// or https://")
            return nil
        }
        return text
    }

    private static func readPlacement(_ reader: inout JSONReader, into spec: inout TaskSpec) {
        let tags = reader.strings(
            "tags", maxCount: Limits.maxTags, maxBytes: Limits.maxNameBytes, allowEmpty: false)
        if let tags {
            for tag in tags where !NameRule.isPlain(tag) {
                reader.problem("tags", "\"\(tag)\" has control characters")
            }
            spec.tags = ordered(tags)
        }
        spec.routingKey = plain("routingKey", maxBytes: Limits.maxKeyBytes, &reader)
        if reader.choice("delivery", of: ["atLeastOnce", "atMostOnce"]) == "atMostOnce" {
            spec.delivery = .atMostOnce
        }
    }

    private static func readLabels(_ reader: inout JSONReader, into spec: inout TaskSpec) {
        let labels = reader.stringMap("meta", maxCount: Limits.maxMetaLabels)
        guard let labels, !labels.isEmpty else { return }
        let bytes = labels.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if bytes > Limits.maxMetaBytes {
            reader.problem(
                "meta",
                "names and values have \(bytes) bytes, at most \(Limits.maxMetaBytes) are allowed")
        }
        if labels.contains(where: { $0.name.isEmpty || !NameRule.isPlain($0.name) }) {
            reader.problem("meta", "a label's name must not be empty or have control characters")
        }
        spec.meta = labels.map { Label(name: $0.name, value: $0.value) }
            .sorted { isBefore($0.name, $1.name) }
    }

    private static func plain(
        _ field: String, maxBytes: Int, _ reader: inout JSONReader
    ) -> String? {
        guard let text = reader.string(field, maxBytes: maxBytes, allowEmpty: false) else {
            return nil
        }
        guard NameRule.isPlain(text) else {
            reader.problem(field, "must not have control characters")
            return nil
        }
        return text
    }

    private static func ordered(_ texts: [String]) -> [String] {
        guard texts.count > 1 else { return texts }
        var result: [String] = []
        for text in texts.sorted(by: isBefore) where result.last.map({ isBefore($0, text) }) ?? true
        {
            result.append(text)
        }
        return result
    }

    /// The order of bytes, as the state machine has it.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
