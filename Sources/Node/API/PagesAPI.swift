/// What is the same for everybody as long as the process lives: the specification, and the dashboard with its parts.
enum PagesAPI {
    /// Makes what would hold the loop for some milliseconds when it is asked for first.
    static func prepare() { _ = specification }

    /// - Parameter name: the path's only segment; empty: `/`.
    static func handle(_ name: String, _ call: Call) {
        switch name {
        case "": reply(Dashboard.page, call)
        case "dashboard.css": reply(Dashboard.style, call)
        case "dashboard.js": reply(Dashboard.script, call)
        case "openapi.json": reply(specification, call)
        default: HealthAPI.handle(name, call)
        }
    }

    private static let specification = StaticContent(
        type: "application/json", bytes: OpenAPIDocument.bytes)

    private static func reply(_ content: StaticContent, _ call: Call) {
        guard call.allows(.get) else { return }
        call.reply(content.response(knownTags: call.request.header("if-none-match")))
    }
}

/// Bytes with a name by which a client can ask whether they have changed.
struct StaticContent: Sendable {
    let type: String
    let bytes: [UInt8]
    /// RFC 9110 8.8.3.
    let tag: String
    let headers: [(name: String, value: String)]

    init(type: String, bytes: [UInt8], headers: [(name: String, value: String)] = []) {
        self.type = type
        self.bytes = bytes
        tag = "\"\(SHA256.hash(bytes).hexadecimal.prefix(16))\""
        self.headers =
            headers + [
                ("etag", tag),
                // A node of another version may answer the next time, so it is asked for each time.
                ("cache-control", "no-cache"), ("x-content-type-options", "nosniff"),
            ]
    }

    /// - Parameter knownTags: what the client has, as it stands in `If-None-Match`.
    func response(knownTags: String?) -> HTTPResponse {
        guard let knownTags, knownTags == "*" || knownTags.contains(tag) else {
            return HTTPResponse(status: 200, contentType: type, headers: headers, body: bytes)
        }
        return HTTPResponse(status: 304, headers: headers)
    }
}
