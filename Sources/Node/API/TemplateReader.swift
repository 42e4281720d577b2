import Scheduler

/// Reads a template as it is put: `{"task": {…}, "params": {"x": its default, or null if it must be given}}`.
///
/// The task is read as if it were submitted with the defaults, so that mistakes are told now and not when somebody uses
/// it. Fields with a parameter that must be given can't be read before; a handler may be left to whoever uses it.
struct TemplateReader {
    /// Stand in what is returned, and say nothing when it is put again.
    private static let returned = ["name", "namespace", "createdAt", "updatedAt"]

    /// The body to be stored; nil if anything is wrong; what, stands in the reader's problems. `finish` is left to the
    /// caller.
    static func read(_ reader: inout JSONReader) -> [UInt8]? {
        let problemCount = reader.problems.count
        for field in returned { _ = reader.value(field) }
        let parameters = parameters(&reader)
        guard let task = reader.value("task", required: true) else { return nil }
        guard task.kind == .object else {
            reader.problem("task", "expected an object, found \(task.kind.description)")
            return nil
        }
        for field in ["template", "params"] where task[field] != nil {
            reader.problem("task", "\"\(field)\" can't stand in a template's task")
        }
        var problems: [JSONProblem] = []
        checkPlaceholders(task, at: "/task", parameters, &problems)
        reader.add(problems)
        guard reader.problems.count == problemCount else { return nil }
        reader.add(trial(task, parameters))
        guard reader.problems.count == problemCount else { return nil }
        var writer = JSONWriter()
        writer.beginObject()
        writer.rawField("task", task.raw)
        writer.key("params")
        if let params = reader.value("params"), !params.isNull {
            writer.raw(params.raw)
        } else {
            writer.beginObject()
            writer.endObject()
        }
        writer.endObject()
        guard writer.bytes.count <= Limits.maxTemplateBytes else {
            reader.problem(
                "is \(writer.bytes.count) bytes long, at most \(Limits.maxTemplateBytes) are allowed"
            )
            return nil
        }
        return writer.bytes
    }

    private static func parameters(
        _ reader: inout JSONReader
    ) -> [(name: String, value: JSONValue)] {
        guard let value = reader.value("params"), !value.isNull else { return [] }
        guard value.kind == .object else {
            reader.problem("params", "expected an object, found \(value.kind.description)")
            return []
        }
        let members = value.members
        if members.count > APILimits.maxTemplateParameters {
            reader.problem(
                "params",
                "has \(members.count) members, at most \(APILimits.maxTemplateParameters) are allowed"
            )
        }
        for (name, _) in members where !NameRule.isName(name) {
            reader.problem("params", "\"\(name)\" is not a name: \(NameRule.name)")
        }
        return members
    }

    private static func checkPlaceholders(
        _ value: JSONValue, at pointer: String, _ known: [(name: String, value: JSONValue)],
        _ problems: inout [JSONProblem]
    ) {
        switch value.kind {
        case .object:
            for (name, member) in value.members {
                let place = JSONPointer.appending(name, to: pointer)
                if TemplatePlaceholder.parts(of: name).contains(where: \.isParameter) {
                    problems.append(
                        JSONProblem(pointer: place, detail: "parameters can't stand in names"))
                }
                checkPlaceholders(member, at: place, known, &problems)
            }
        case .array:
            for (ordinal, element) in value.elements.enumerated() {
                checkPlaceholders(element, at: "\(pointer)/\(ordinal)", known, &problems)
            }
        case .string:
            for case .parameter(let name) in TemplatePlaceholder.parts(of: value.string ?? "")
            where !known.contains(where: { $0.name == name }) {
                problems.append(
                    JSONProblem(pointer: pointer, detail: "\"\(name)\" is not among \"params\""))
            }
        case .null, .bool, .number: break
        }
    }

    /// What is wrong with the task as far as it is known.
    private static func trial(
        _ task: JSONValue, _ parameters: [(name: String, value: JSONValue)]
    ) -> [JSONProblem] {
        let open = parameters.filter(\.value.isNull).map(\.name)
        var known: [String] = []
        for (field, member) in task.members where !holds(open, member) { known.append(field) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("task")
        writer.beginObject()
        for field in known {
            if let member = task[field] { writer.rawField(JSONName(field), member.raw) }
        }
        if !known.contains("handler") { writer.field("handler", "any") }
        writer.endObject()
        writer.key("params")
        writer.beginObject()
        for (name, value) in parameters where !value.isNull {
            writer.rawField(JSONName(name), value.raw)
        }
        writer.endObject()
        writer.endObject()
        let body = writer.bytes
        var expansion = TemplateExpansion(maxBytes: APILimits.maxObjectBytes) { _ in body }
        do {
            let use = try JSONDocument("{\"template\": \"t\"}")
            guard let expanded = expansion.expand(use.root) else { return expansion.problems }
            var reader = JSONReader(expanded.root, pointer: "/task")
            _ = TaskSpecReader.read(&reader, as: .submission)
            reader.finish()
            return reader.problems
        } catch {
            preconditionFailure("a constant document is JSON: \(error)")
        }
    }

    private static func holds(_ names: [String], _ value: JSONValue) -> Bool {
        switch value.kind {
        case .object: value.members.contains { holds(names, $0.value) }
        case .array: value.elements.contains { holds(names, $0) }
        case .string:
            TemplatePlaceholder.parts(of: value.string ?? "").contains { part in
                if case .parameter(let name) = part { names.contains(name) } else { false }
            }
        case .null, .bool, .number: false
        }
    }
}
