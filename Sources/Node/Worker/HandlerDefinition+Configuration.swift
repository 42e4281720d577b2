import Scheduler

extension HandlerDefinition {
    private static let maxArguments = 256
    private static let maxArgumentBytes = 64 * 1024
    private static let maxHeaders = 64

    private static let defaultLingerMilliseconds: Int64 = 20
    private static let maxLingerMilliseconds: Int64 = 60_000

    /// Reads one member of the configuration's `handlers`: `{"command": [argv…], "timeout": "30s"}` or
    /// `{"http": {"method", "url", "headers", "body"}, "timeout": "30s"}`, with `"batch": {"max", "linger"}` if attempts
    /// are run together. What is wrong is reported to the reader, and nil comes back.
    init?(name: String, _ reader: inout JSONReader) {
        if BuiltinHandler(rawValue: name) != nil || name == Webhook.handler {
            reader.problem("\"\(name)\" is built in and can't be defined again")
        }
        let problemCount = reader.problems.count
        let timeout = reader.durationMilliseconds(
            "timeout", in: 1...Limits.maxTimeoutMilliseconds)
        let arguments = reader.strings(
            "command", maxCount: Self.maxArguments, maxBytes: Self.maxArgumentBytes)
        let batch = Self.batch(&reader)
        var http: HTTPHandler?
        let hasHTTP = reader.object("http") { inner in
            http = HTTPHandler(&inner, timeoutMilliseconds: timeout, batch: batch)
        }
        if reader.has("command") == hasHTTP {
            reader.problem("a handler has either \"command\" or \"http\"")
        }
        if let arguments {
            if arguments.first?.isEmpty ?? true {
                reader.problem("command", "must begin with an executable")
            }
            if arguments.contains(where: { $0.utf8.contains(0) }) {
                reader.problem("command", "must not contain a NUL character")
            }
        }
        guard reader.problems.count == problemCount else { return nil }
        if let arguments {
            self = .command(
                CommandHandler(
                    arguments: arguments, timeoutMilliseconds: timeout, batch: batch))
        } else if let http {
            self = .http(http)
        } else {
            return nil
        }
    }

    private static func batch(_ reader: inout JSONReader) -> BatchSpec? {
        var spec: BatchSpec?
        reader.object("batch") { inner in
            let count = inner.integer(
                "max", in: 2...Int64(WorkerLimits.maxBatchCount), required: true)
            let linger = inner.durationMilliseconds("linger", in: 0...maxLingerMilliseconds)
            guard let count else { return }
            spec = BatchSpec(
                maxCount: Int(count), lingerMilliseconds: linger ?? defaultLingerMilliseconds)
        }
        return spec
    }

    fileprivate static func headers(_ reader: inout JSONReader) -> [HTTPHandler.Header] {
        var headers: [HTTPHandler.Header] = []
        let texts = reader.stringMap("headers", maxCount: maxHeaders) ?? []
        for (name, text) in texts {
            guard !name.isEmpty, name.utf8.allSatisfy(HTTPHandler.isTokenByte) else {
                reader.problem("headers", "\"\(name)\" is not the name of a header")
                continue
            }
            guard !HTTPHandler.reservedHeaders.contains(name.lowercased()) else {
                reader.problem("headers", "\"\(name)\" is set by the worker itself")
                continue
            }
            do {
                headers.append(
                    HTTPHandler.Header(name: name, value: try Template(text, for: .header)))
            } catch {
                reader.problem("headers", "\"\(name)\": \(error.description)")
            }
        }
        return headers
    }
}

extension HTTPHandler {
    static let reservedHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "carillon-task",
        "carillon-attempt", "carillon-fence",
    ]

    /// The bytes of a header's name (RFC 9110, section 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        default:
            return "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    fileprivate init?(
        _ reader: inout JSONReader, timeoutMilliseconds: Int64?, batch: BatchSpec?
    ) {
        let method = reader.choice("method", of: Self.methods) ?? "POST"
        let url = Self.template("url", for: .url, required: true, &reader)
        let headers = HandlerDefinition.headers(&reader)
        let body = Self.template("body", for: .body, required: false, &reader)
        if let url, !url.hasLiteralPrefix("http://"), !url.hasLiteralPrefix("https://") {
            reader.problem("url", "must begin with http:// or https://")
        }
        if body != nil, method == "GET" { reader.problem("body", "a GET has no body") }
        guard let url else { return nil }
        self.init(
            method: method, url: url, headers: headers, body: body,
            timeoutMilliseconds: timeoutMilliseconds, batch: batch)
        if batch != nil { checkBatch(&reader) }
    }

    /// Many tasks have no payload or id in common that could be filled in.
    private func checkBatch(_ reader: inout JSONReader) {
        if !hasBody { reader.problem("method", "a batch needs a method with a body") }
        if body != nil { reader.problem("body", "the body of a batch is its tasks") }
        if !url.isLiteral { reader.problem("url", "a batch fills nothing in") }
        for header in headers where !header.value.isLiteral {
            reader.problem("headers", "\"\(header.name)\": a batch fills nothing in")
        }
    }

    private static func template(
        _ name: String, for position: Template.Position, required: Bool,
        _ reader: inout JSONReader
    ) -> Template? {
        guard let text = reader.string(name, required: required) else { return nil }
        do {
            return try Template(text, for: position)
        } catch {
            reader.problem(name, error.description)
            return nil
        }
    }
}
