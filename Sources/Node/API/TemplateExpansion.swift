import Scheduler

/// Puts what templates hold in the place of what names them: `{"template": "t", "params": {…}}` with fields of its own
/// becomes the template's task with these fields, which win, and with the parameters in their places.
///
/// In a string that is nothing but `{{params.x}}` stands the parameter itself, whatever it is; in a longer one its text.
/// What is not the template's is left as it was written.
struct TemplateExpansion {
    /// The body of the template of a name, if there is one.
    private let lookUp: (String) -> [UInt8]?
    private let maxBytes: Int
    private var writer = JSONWriter()
    private(set) var problems: [JSONProblem] = []
    private var isTooLarge = false

    init(maxBytes: Int, lookUp: @escaping (String) -> [UInt8]?) {
        self.maxBytes = maxBytes
        self.lookUp = lookUp
    }

    /// Whether a task, a workflow or a schedule names a template anywhere.
    static func isNeeded(_ value: JSONValue) -> Bool {
        guard value.kind == .object else { return false }
        if GraphReader.isGraph(value) {
            let parts = (value["chain"]?.elements ?? []) + (value["group"]?.elements ?? [])
            return parts.contains(where: isNeeded) || value["then"].map(isNeeded) ?? false
        }
        if let task = value["task"], task.kind == .object { return isNeeded(task) }
        return value["template"].map { !$0.isNull } ?? false
    }

    /// nil if anything is wrong; what, stands in `problems`.
    mutating func expand(_ root: JSONValue) -> JSONDocument? {
        part(root, at: "")
        if isTooLarge {
            problems = [
                JSONProblem(
                    pointer: "", detail: "grows beyond \(maxBytes) bytes by its templates")
            ]
        }
        guard problems.isEmpty else { return nil }
        do {
            return try JSONDocument(writer.bytes)
        } catch {
            // Templates and what was sent may be as deep as a document, each for itself.
            problems = [JSONProblem(pointer: error.pointer, detail: error.reason)]
            return nil
        }
    }

    // MARK: Where tasks stand

    private mutating func part(_ value: JSONValue, at pointer: String) {
        guard Self.isNeeded(value) else { return writer.raw(value.raw) }
        let inner = GraphReader.isGraph(value) ? ["chain", "group", "then"] : ["task"]
        guard inner.contains(where: { value[$0] != nil }) else { return task(value, at: pointer) }
        writer.beginObject()
        for (name, member) in value.members {
            writer.key(JSONName(name))
            let place = JSONPointer.appending(name, to: pointer)
            if !inner.contains(name) {
                writer.raw(member.raw)
            } else if member.kind == .array {
                writer.beginArray()
                for (ordinal, element) in member.elements.enumerated() {
                    part(element, at: "\(place)/\(ordinal)")
                }
                writer.endArray()
            } else {
                part(member, at: place)
            }
        }
        writer.endObject()
    }

    private mutating func task(_ value: JSONValue, at pointer: String) {
        guard let (name, body) = template(of: value, at: pointer) else {
            // Something has to stand there.
            return writer.null()
        }
        let values = parameters(of: value, declared: body["params"], name, at: pointer)
        writer.beginObject()
        let preset = body["task"]
        for (field, member) in preset?.members ?? [] where !Self.isGiven(field, value[field]) {
            writer.key(JSONName(field))
            fill(member, values)
        }
        for (field, member) in value.members where field != "template" && field != "params" {
            guard Self.isGiven(field, member) || preset?[field] == nil else { continue }
            writer.rawField(JSONName(field), member.raw)
        }
        writer.field("template", name)
        writer.endObject()
    }

    private mutating func template(
        of value: JSONValue, at pointer: String
    ) -> (name: String, body: JSONValue)? {
        guard let name = value["template"]?.string else {
            problem(pointer + "/template", "expected the name of a template")
            return nil
        }
        guard let body = lookUp(name) else {
            problem(pointer + "/template", "there is no template \"\(name)\"")
            return nil
        }
        do {
            return (name, try JSONDocument(body).root)
        } catch {
            problem(pointer + "/template", "template \"\(name)\" is damaged: \(error.description)")
            return nil
        }
    }

    /// Null is not given, except for a payload, which may be null.
    private static func isGiven(_ field: String, _ member: JSONValue?) -> Bool {
        guard let member else { return false }
        return !member.isNull || field == "payload"
    }

    // MARK: Parameters

    private mutating func parameters(
        of value: JSONValue, declared: JSONValue?, _ template: String, at pointer: String
    ) -> [String: JSONValue] {
        let place = pointer + "/params"
        let given = value["params"]
        if let given, given.kind != .object, !given.isNull {
            problem(place, "expected an object, found \(given.kind.description)")
            return [:]
        }
        let known = declared?.members ?? []
        var values: [String: JSONValue] = [:]
        for (name, member) in given?.members ?? [] {
            guard known.contains(where: { $0.name == name }) else {
                var detail = "template \"\(template)\" has no parameter \"\(name)\""
                if let nearest = Spelling.nearest(to: name, among: known.map(\.name)) {
                    detail += "; did you mean \"\(nearest)\"?"
                }
                problem(JSONPointer.appending(name, to: place), detail)
                continue
            }
            if !member.isNull { values[name] = member }
        }
        for (name, preset) in known where values[name] == nil {
            if preset.isNull {
                problem(
                    JSONPointer.appending(name, to: place),
                    "is required by template \"\(template)\"")
            } else {
                values[name] = preset
            }
        }
        return values
    }

    private mutating func fill(_ value: JSONValue, _ values: [String: JSONValue]) {
        guard writer.bytes.count <= maxBytes else {
            isTooLarge = true
            return writer.null()
        }
        switch value.kind {
        case .object:
            writer.beginObject()
            for (name, member) in value.members {
                writer.key(JSONName(name))
                fill(member, values)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            for element in value.elements { fill(element, values) }
            writer.endArray()
        case .string:
            let parts = TemplatePlaceholder.parts(of: value.string ?? "")
            if parts.count == 1, case .parameter(let name) = parts[0], let found = values[name] {
                writer.raw(found.raw)
            } else if parts.contains(where: \.isParameter) {
                writer.string(text(of: parts, values))
            } else {
                writer.raw(value.raw)
            }
        case .null, .bool, .number:
            writer.raw(value.raw)
        }
    }

    private mutating func text(
        of parts: [TemplatePlaceholder], _ values: [String: JSONValue]
    ) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .parameter(let name):
                guard let value = values[name] else { continue }
                text += value.string ?? value.source
            }
            guard writer.bytes.count + text.utf8.count <= maxBytes else {
                isTooLarge = true
                return ""
            }
        }
        return text
    }

    private mutating func problem(_ pointer: String, _ detail: String) {
        guard problems.count < JSONReader.maxProblems else { return }
        problems.append(JSONProblem(pointer: pointer, detail: detail))
    }
}

/// A piece of a string of a template.
enum TemplatePlaceholder: Equatable {
    case text(String)
    /// `{{params.NAME}}`
    case parameter(String)

    private static let opening = Array("{{params.".utf8)
    private static let closing = Array("}}".utf8)

    var isParameter: Bool {
        if case .parameter = self { true } else { false }
    }

    /// Other placeholders are text: they are somebody else's.
    static func parts(of text: String) -> [TemplatePlaceholder] {
        var rest = Array(text.utf8)[...]
        var parts: [TemplatePlaceholder] = []
        while let open = rest.firstRange(of: opening),
            let close = rest[open.upperBound...].firstRange(of: closing)
        {
            if open.lowerBound > rest.startIndex {
                parts.append(.text(String(decoding: rest[..<open.lowerBound], as: UTF8.self)))
            }
            let name = rest[open.upperBound..<close.lowerBound]
            parts.append(.parameter(String(decoding: name, as: UTF8.self)))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(decoding: rest, as: UTF8.self))) }
        return parts
    }
}

extension Call {
    /// Calls `then` with the document in which templates have given way to what they hold: at once if it names none,
    /// else when this node knows all templates acknowledged so far. What is wrong is answered here.
    func expanding(
        _ document: JSONDocument, _ options: Options, then: @escaping (JSONDocument) -> Void
    ) {
        guard TemplateExpansion.isNeeded(document.root) else { return then(document) }
        read(options) { [self] in
            var expansion = templateExpansion
            guard let expanded = expansion.expand(document.root) else {
                return reply(Problem.invalid(expansion.problems))
            }
            then(expanded)
        }
    }

    /// By the templates that this node knows.
    var templateExpansion: TemplateExpansion {
        TemplateExpansion(maxBytes: APILimits.maxObjectBytes) { [gateway, namespace] in
            gateway.replica.scheduler.template(namespace.qualified($0))?.body
        }
    }
}
