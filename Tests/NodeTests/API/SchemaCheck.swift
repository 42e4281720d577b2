@testable import Node

/// Holds JSON against the schemas of the specification: as much of JSON Schema as stands there, and stricter in one
/// thing, that an object has no members beside those that are named.
struct SchemaCheck {
    private let document: JSONValue

    init(_ document: JSONValue) {
        self.document = document
    }

    /// What is wrong, with places; empty: nothing.
    func problems(_ value: JSONValue, _ schema: JSONValue, at place: String = "") -> [String] {
        if let reference = schema["$ref"]?.string {
            guard let found = target(of: reference) else { return ["\(reference) leads nowhere"] }
            return problems(value, found, at: place)
        }
        if let schemas = schema["anyOf"]?.elements {
            let found = schemas.map { problems(value, $0, at: place) }
            guard !found.contains([]) else { return [] }
            return ["\(place): none of \(found)"]
        }
        if let names = schema["enum"]?.elements,
            !names.contains(where: { $0.source == value.source })
        {
            return ["\(place): \(value.source) is not among \(names.map(\.source))"]
        }
        guard let type = schema["type"] else { return [] }
        let types = type.string.map { [$0] } ?? type.elements.compactMap(\.string)
        guard types.contains(where: { Self.isOf($0, value) }) else {
            return ["\(place): \(value.source) is not of \(types)"]
        }
        switch value.kind {
        case .object: return members(value, schema, at: place)
        case .array:
            guard let item = schema["items"] else { return [] }
            return value.elements.enumerated().flatMap {
                problems($1, item, at: "\(place)/\($0)")
            }
        case .number: return range(value, schema, at: place)
        default: return []
        }
    }

    /// The thing that `#/components/…` names.
    func target(of reference: String) -> JSONValue? {
        var found = document
        for name in reference.split(separator: "/").dropFirst() {
            guard let member = found[String(name)] else { return nil }
            found = member
        }
        return found
    }

    /// The document's operation for a method of a path, as it stands there.
    func operation(_ method: String, _ path: String) -> JSONValue? {
        document["paths"]?[path]?[method.lowercased()]
    }

    private func members(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
        var found: [String] = []
        for name in schema["required"]?.elements.compactMap(\.string) ?? []
        where value[name] == nil {
            found.append("\(place): \(name) is missing")
        }
        for (name, member) in value.members {
            let inner = "\(place)/\(name)"
            if let known = schema["properties"]?[name] {
                found += problems(member, known, at: inner)
            } else if let all = schema["additionalProperties"] {
                found += problems(member, all, at: inner)
            } else {
                found.append("\(inner) is not in the document")
            }
        }
        return found
    }

    private func range(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
        guard let number = value.double else { return ["\(place): \(value.source) is no number"] }
        if let least = schema["minimum"]?.double, number < least {
            return ["\(place): \(value.source) is below \(least)"]
        }
        if let most = schema["maximum"]?.double, number > most {
            return ["\(place): \(value.source) is above \(most)"]
        }
        return []
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch type {
        case "null": value.kind == .null
        case "boolean": value.kind == .bool
        case "string": value.kind == .string
        case "integer": value.kind == .number && (value.double ?? 0.5).rounded() == value.double
        case "number": value.kind == .number
        case "array": value.kind == .array
        case "object": value.kind == .object
        default: false
        }
    }
}
