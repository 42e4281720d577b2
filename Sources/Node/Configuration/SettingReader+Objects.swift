/// Objects that read themselves from JSON: what the environment says is put into their JSON before.
extension SettingReader {
    /// A value within an object that may stand in the environment.
    private struct Setting {
        var path: [String]
        /// Else it is a number or a truth value.
        var isText = true
    }

    private static let handlerSettings = [
        Setting(path: ["timeout"]), Setting(path: ["http", "method"]),
        Setting(path: ["http", "url"]), Setting(path: ["http", "body"]),
        Setting(path: ["batch", "max"], isText: false), Setting(path: ["batch", "linger"]),
    ]

    private static let queueSettings = [
        Setting(path: ["concurrency"], isText: false), Setting(path: ["rate"]),
        Setting(path: ["burst"], isText: false), Setting(path: ["priority"], isText: false),
        Setting(path: ["maxPending"], isText: false), Setting(path: ["paused"], isText: false),
        Setting(path: ["errorWebhook"]),
        Setting(path: ["breaker", "failures"], isText: false),
        Setting(path: ["breaker", "ratio"], isText: false),
        Setting(path: ["breaker", "minimum"], isText: false),
        Setting(path: ["breaker", "window"]), Setting(path: ["breaker", "open"]),
        Setting(path: ["breaker", "probes"], isText: false),
    ]

    mutating func handler(_ name: String, _ reader: inout JSONReader) -> HandlerDefinition? {
        read(["handlers", name], Self.handlerSettings, &reader) {
            HandlerDefinition(name: name, &$0)
        }
    }

    mutating func queue(_ name: String, _ reader: inout JSONReader) -> QueueRequest? {
        read(["queues", name], Self.queueSettings, &reader) { QueueSpecReader.read(&$0) }
    }

    private mutating func read<Value>(
        _ place: [String], _ settings: [Setting], _ reader: inout JSONReader,
        _ body: (inout JSONReader) -> Value?
    ) -> Value? {
        var overrides: [[String]: Override] = [:]
        for setting in settings {
            let path = setting.path
            // A handler that is a command gets no request from the environment, nor a queue without one a breaker.
            if path.count > 1, !reader.has(path[0]) { continue }
            guard let found = take(place + path) else { continue }
            overrides[path] = Override(
                variable: found.name, value: found.value, isText: setting.isText)
        }
        guard !overrides.isEmpty else { return body(&reader) }
        for (member, _) in reader.value.members { _ = reader.value(member) }
        var writer = JSONWriter()
        Self.copy(
            reader.value, at: [], overrides, order: settings.map(\.path), to: &writer)
        let document: JSONDocument
        do {
            document = try JSONDocument(writer.bytes)
        } catch {
            reader.problem("can't take over the environment: \(error.description)")
            return nil
        }
        var patched = JSONReader(document.root, pointer: reader.pointer)
        let value = body(&patched)
        patched.finish()
        let variables = overrides.map { path, found in
            (pointer: path.reduce(reader.pointer) { $0 + "/" + $1 }, variable: found.variable)
        }
        reader.add(
            patched.problems.map { problem in
                let variable = variables.first { $0.pointer == problem.pointer }?.variable
                return JSONProblem(pointer: variable ?? problem.pointer, detail: problem.detail)
            })
        return value
    }

    private struct Override {
        var variable: String
        var value: String
        var isText: Bool

        func write(to writer: inout JSONWriter) {
            // What is no number stays text, and is found to be wrong by whoever reads it.
            if !isText, let document = try? JSONDocument(Array(value.utf8)),
                document.root.kind == .number || document.root.kind == .bool
            {
                writer.raw(document.root.raw)
            } else {
                writer.string(value)
            }
        }
    }

    /// Copies an object with the overrides that stand directly in it and in the objects within.
    private static func copy(
        _ value: JSONValue, at path: [String], _ overrides: [[String]: Override],
        order: [[String]], to writer: inout JSONWriter
    ) {
        var pending = order.filter {
            overrides[$0] != nil && $0.count == path.count + 1 && $0.starts(with: path)
        }
        writer.beginObject()
        for (name, member) in value.members {
            let inner = path + [name]
            writer.key(JSONName(name))
            if let override = overrides[inner] {
                override.write(to: &writer)
                pending.removeAll { $0 == inner }
            } else if member.kind == .object, inner.count == 1 {
                copy(member, at: inner, overrides, order: order, to: &writer)
            } else {
                writer.raw(member.raw)
            }
        }
        for setting in pending {
            writer.key(JSONName(setting[path.count]))
            overrides[setting]?.write(to: &writer)
        }
        writer.endObject()
    }
}
