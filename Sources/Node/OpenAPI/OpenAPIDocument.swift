import Scheduler

/// Operations that belong together.
struct OpenAPIArea: Sendable {
    let name: String
    let note: String
    let operations: [OpenAPIOperation]
}

/// All operations; the areas stand in files of their own.
enum OpenAPIPaths {
    static let areas: [OpenAPIArea] = [
        tasks, dead, jobs, workflows, schedules, queues, templates, namespaces, workers, cluster,
        events, node,
    ]
}

/// All schemas; the areas stand in files of their own.
enum OpenAPISchemas {
    static let all: [(name: String, schema: OpenAPISchema)] =
        tasks + jobs + schedules + spaces + workers + cluster
}

/// `/openapi.json`: what this version serves, for generators of clients and for people. Made once, of the tables in
/// this folder; tests hold them against what the nodes do.
enum OpenAPIDocument {
    static let bytes: [UInt8] = {
        var writer = JSONWriter(capacity: 256 << 10)
        writer.document()
        return writer.bytes
    }()

    /// Refusals, by status: a name and what it means. See `Problem.Kind` for the types.
    static let refusals: [(status: Int, name: String, note: String)] = [
        (400, "NotJSON", "The body is not JSON."),
        (403, "CrossSite", "A web page of another site may not change anything."),
        (404, "NotFound", "There is none of that name."),
        (409, "Conflict", "The state, or a key that was used, does not allow it."),
        (410, "Gone", "It is not held any more."),
        (413, "TooLarge", "The body is too large."),
        (415, "WrongMediaType", "The body is of another type."),
        (422, "Invalid", "What was sent does not validate; `errors` says where."),
        (429, "Busy", "Too much at a time. Nothing was done."),
        (
            503, "Unavailable",
            "No leader was found in time, or the outcome is not known: `type` tells."
        ),
    ]

    /// What comes with 429 and 503.
    static let retryStatuses = [429, 503]

    static let prefix = "/v1/namespaces/{namespace}"

    /// The path in a namespace that stands in it; nil: it is about none.
    static func namespaced(_ path: String) -> String? {
        let segments = path.split(separator: "/")
        guard segments.count > 1, segments[0] == "v1", API.namespaced.contains(String(segments[1]))
        else { return nil }
        return prefix + path.dropFirst("/v1".count)
    }
}

extension OpenAPIOperation.Content {
    /// The list where `follow=false`, and lines otherwise.
    static let events = OpenAPIOperation.Content.either(
        .page(of: "Event"), other: "text/event-stream")
}

extension JSONWriter {
    fileprivate mutating func document() {
        beginObject()
        field("openapi", "3.1.0")
        key("info")
        beginObject()
        field("title", "Carillon")
        field("version", ProductVersion.text)
        field(
            "description",
            """
            A peer-to-peer task scheduler. Every node serves everything. Durations are texts such as `250ms`, \
            `1h30m`, `7d`; times are RFC 3339 in UTC with milliseconds. Unknown fields and parameters are refused.
            """)
        endObject()
        key("servers")
        beginArray()
        beginObject()
        field("url", "/")
        field("description", "The node that this was asked of.")
        endObject()
        endArray()
        key("tags")
        beginArray()
        for area in OpenAPIPaths.areas {
            beginObject()
            field("name", area.name)
            field("description", area.note)
            endObject()
        }
        endArray()
        paths()
        components()
        endObject()
    }

    // MARK: Paths

    private mutating func paths() {
        let operations = OpenAPIPaths.areas.flatMap { area in
            area.operations.map { (area: area.name, operation: $0) }
        }
        // Each path once, where it comes first.
        var names: [String] = []
        for (_, operation) in operations where !names.contains(operation.path) {
            names.append(operation.path)
        }
        key("paths")
        beginObject()
        for isInner in [false, true] {
            for name in names {
                let inner = OpenAPIDocument.namespaced(name)
                guard let shown = isInner ? inner : name else { continue }
                key(JSONName(shown))
                beginObject()
                pathParameters(operations.first { $0.operation.path == name }, isInner: isInner)
                for (area, operation) in operations where operation.path == name {
                    key(JSONName(operation.method.description.lowercased()))
                    self.operation(
                        operation, area,
                        scope: inner == nil ? .none : isInner ? .inPath : .inHeader)
                }
                endObject()
            }
        }
        endObject()
    }

    private mutating func pathParameters(
        _ first: (area: String, operation: OpenAPIOperation)?, isInner: Bool
    ) {
        let names = (isInner ? ["namespace"] : []) + (first?.operation.pathParameters ?? [])
        guard !names.isEmpty else { return }
        key("parameters")
        beginArray()
        for name in names { reference("parameters", "\(name)InPath") }
        endArray()
    }

    /// Where a request names its namespace.
    private enum Scope { case none, inHeader, inPath }

    private mutating func operation(
        _ operation: OpenAPIOperation, _ area: String, scope: Scope
    ) {
        beginObject()
        field("operationId", operation.name + (scope == .inPath ? "InNamespace" : ""))
        field("tags", [area])
        field("summary", operation.summary)
        let parameters = operation.allParameters + (scope == .inHeader ? [.namespace] : [])
        if !parameters.isEmpty {
            key("parameters")
            beginArray()
            for parameter in parameters {
                if let name = parameter.component {
                    reference("parameters", name)
                } else {
                    self.parameter(parameter)
                }
            }
            endArray()
        }
        if let body = operation.body { self.body(body) }
        key("responses")
        beginObject()
        for answer in operation.answers { self.answer(answer) }
        for (status, name, _) in OpenAPIDocument.refusals
        where operation.allRefusals.contains(status) {
            key(JSONName("\(status)"))
            reference("responses", name)
        }
        endObject()
        endObject()
    }

    private mutating func body(_ body: OpenAPIOperation.Body) {
        key("requestBody")
        beginObject()
        field("required", body.isRequired)
        key("content")
        beginObject()
        for (name, schema) in body.types { content(name, schema) }
        endObject()
        endObject()
    }

    private mutating func answer(_ answer: OpenAPIOperation.Answer) {
        key(JSONName("\(answer.status)"))
        beginObject()
        field("description", answer.note)
        headers(answer.headers)
        switch answer.content {
        case .none: break
        case .json(let schema): contents { $0.content("application/json", schema) }
        case .other(let type): contents { $0.content(type, .text()) }
        case .either(let schema, let type):
            contents {
                $0.content(type, .text())
                $0.content("application/json", schema)
            }
        }
        endObject()
    }

    private mutating func headers(_ headers: [(name: String, note: String)]) {
        guard !headers.isEmpty else { return }
        key("headers")
        beginObject()
        for (name, note) in headers {
            key(JSONName(name))
            beginObject()
            field("description", note)
            key("schema")
            schema(.text())
            endObject()
        }
        endObject()
    }

    private mutating func contents(_ write: (inout JSONWriter) -> Void) {
        key("content")
        beginObject()
        write(&self)
        endObject()
    }

    private mutating func content(_ type: String, _ schema: OpenAPISchema) {
        key(JSONName(type))
        beginObject()
        key("schema")
        self.schema(schema)
        endObject()
    }

    private mutating func reference(_ kind: String, _ name: String) {
        beginObject()
        field("$ref", "#/components/\(kind)/\(name)")
        endObject()
    }

    // MARK: Components

    private mutating func components() {
        key("components")
        beginObject()
        key("schemas")
        beginObject()
        for (name, schema) in OpenAPISchemas.all {
            key(JSONName(name))
            self.schema(schema)
        }
        endObject()
        key("parameters")
        beginObject()
        for parameter in OpenAPIParameter.components {
            key(JSONName(parameter.component ?? parameter.name))
            self.parameter(parameter)
        }
        endObject()
        key("responses")
        beginObject()
        for (status, name, note) in OpenAPIDocument.refusals {
            key(JSONName(name))
            beginObject()
            field("description", note)
            if OpenAPIDocument.retryStatuses.contains(status) {
                headers([(name: "Retry-After", note: "Seconds.")])
            }
            contents { $0.content(Problem.contentType, .reference("Problem")) }
            endObject()
        }
        endObject()
        endObject()
    }
}
