/// Handlers read themselves from JSON; what the environment says is put into their JSON before.
extension SettingReader {
    private static let handlerSettings = [
        ["timeout"], ["http", "method"], ["http", "url"], ["http", "body"],
    ]

    mutating func handler(_ name: String, _ reader: inout JSONReader) -> HandlerDefinition? {
        var overrides: [[String]: (variable: String, value: String)] = [:]
        for path in Self.handlerSettings {
            // A handler that is a command gets no request from the environment.
            if path[0] == "http", !reader.has("http") { continue }
            guard let found = take(["handlers", name] + path) else { continue }
            overrides[path] = (found.name, found.value)
        }
        guard !overrides.isEmpty else { return HandlerDefinition(name: name, &reader) }
        for (member, _) in reader.value.members { _ = reader.value(member) }
        var writer = JSONWriter()
        Self.copy(reader.value, at: [], overrides, to: &writer)
        let document: JSONDocument
        do {
            document = try JSONDocument(writer.bytes)
        } catch {
            reader.problem("can't take over the environment: \(error.description)")
            return nil
        }
        var patched = JSONReader(document.root, pointer: reader.pointer)
        let definition = HandlerDefinition(name: name, &patched)
        patched.finish()
        let variables = overrides.map { path, found in
            (pointer: path.reduce(reader.pointer) { $0 + "/" + $1 }, variable: found.variable)
        }
        reader.add(
            patched.problems.map { problem in
                let variable = variables.first { $0.pointer == problem.pointer }?.variable
                return JSONProblem(pointer: variable ?? problem.pointer, detail: problem.detail)
            })
        return definition
    }

    /// Copies an object with the overrides that stand directly in it and in the objects within.
    private static func copy(
        _ value: JSONValue, at path: [String],
        _ overrides: [[String]: (variable: String, value: String)], to writer: inout JSONWriter
    ) {
        var pending = handlerSettings.filter {
            overrides[$0] != nil && $0.count == path.count + 1 && $0.starts(with: path)
        }
        writer.beginObject()
        for (name, member) in value.members {
            let inner = path + [name]
            writer.key(name)
            if let override = overrides[inner] {
                writer.string(override.value)
                pending.removeAll { $0 == inner }
            } else if member.kind == .object, inner.count == 1 {
                copy(member, at: inner, overrides, to: &writer)
            } else {
                writer.raw(member.raw)
            }
        }
        for setting in pending {
            writer.field(setting[path.count], overrides[setting]?.value ?? "")
        }
        writer.endObject()
    }
}
