/// What one method of one path does.
struct OpenAPIOperation: Sendable {
    enum Content: Sendable {
        case none
        case json(OpenAPISchema)
        /// Bytes of this media type.
        case other(String)
        /// JSON or bytes of another media type, as the request wants it.
        case either(OpenAPISchema, other: String)
    }

    struct Answer: Sendable {
        let status: Int
        let note: String
        let content: Content
        var headers: [(name: String, note: String)] = []
    }

    struct Body: Sendable {
        let types: [(name: String, schema: OpenAPISchema)]
        var isRequired = true
    }

    /// What the request may say of how it is done.
    enum Manner: Sendable {
        /// `timeout` and `stale`.
        case reads
        /// `timeout`
        case writes
        case neither
    }

    let method: HTTPMethod
    let path: String
    /// Unique: generators make functions of it.
    let name: String
    let summary: String
    let manner: Manner
    var parameters: [OpenAPIParameter] = []
    var body: Body?
    var answers: [Answer] = []
    /// Statuses of refusals beside those that the manner brings with it.
    var refusals: [Int] = []

    private init(
        _ method: HTTPMethod, _ path: String, _ name: String, _ manner: Manner, _ summary: String
    ) {
        self.method = method
        self.path = path
        self.name = name
        self.manner = manner
        self.summary = summary
    }

    // MARK: In the words of the tables

    static func get(
        _ path: String, _ name: String, _ summary: String, _ manner: Manner = .reads
    ) -> OpenAPIOperation {
        OpenAPIOperation(.get, path, name, manner, summary)
    }

    static func post(_ path: String, _ name: String, _ summary: String) -> OpenAPIOperation {
        OpenAPIOperation(.post, path, name, .writes, summary)
    }

    static func put(_ path: String, _ name: String, _ summary: String) -> OpenAPIOperation {
        OpenAPIOperation(.put, path, name, .writes, summary)
    }

    static func delete(
        _ path: String, _ name: String, _ summary: String, _ manner: Manner = .writes
    ) -> OpenAPIOperation {
        OpenAPIOperation(.delete, path, name, manner, summary)
    }

    func with(_ parameters: OpenAPIParameter...) -> OpenAPIOperation {
        with(parameters)
    }

    func with(_ parameters: [OpenAPIParameter]) -> OpenAPIOperation {
        var operation = self
        operation.parameters += parameters
        return operation
    }

    /// It has a body, one JSON value.
    func takes(_ schema: String, isRequired: Bool = true) -> OpenAPIOperation {
        takes([("application/json", .reference(schema))], isRequired: isRequired)
    }

    func takes(
        _ types: [(name: String, schema: OpenAPISchema)], isRequired: Bool = true
    ) -> OpenAPIOperation {
        var operation = self
        operation.body = Body(types: types, isRequired: isRequired)
        return operation
    }

    func answers(
        _ status: Int = 200, _ schema: String, _ note: String,
        headers: [(name: String, note: String)] = []
    ) -> OpenAPIOperation {
        answers(status, .json(.reference(schema)), note, headers: headers)
    }

    func answers(
        _ status: Int = 200, _ content: Content, _ note: String,
        headers: [(name: String, note: String)] = []
    ) -> OpenAPIOperation {
        var operation = self
        operation.answers.append(
            Answer(status: status, note: note, content: content, headers: headers))
        return operation
    }

    func page(of name: String, _ note: String) -> OpenAPIOperation {
        with(.limit, .cursor).answers(200, .json(.page(of: name)), note)
    }

    func refuses(_ statuses: Int...) -> OpenAPIOperation {
        var operation = self
        operation.refusals += statuses
        return operation
    }

    // MARK: What follows

    /// Names in braces.
    var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
            String($0.dropFirst().dropLast())
        }
    }

    /// With those of its manner.
    var allParameters: [OpenAPIParameter] {
        switch manner {
        case .reads: parameters + [.timeout, .stale]
        case .writes: parameters + [.timeout]
        case .neither: parameters
        }
    }

    /// Statuses of all refusals, ascending.
    var allRefusals: [Int] {
        var statuses = Set(refusals)
        if manner != .neither { statuses.formUnion([422, 503]) }
        if !parameters.isEmpty { statuses.insert(422) }
        if method != .get { statuses.formUnion([403, 429]) }
        if body != nil { statuses.formUnion([400, 413, 415]) }
        return statuses.sorted()
    }
}

/// Something that stands in a request's path, query or header.
struct OpenAPIParameter: Sendable {
    enum Place: String, Sendable {
        case path, query, header
    }

    let name: String
    let place: Place
    let schema: OpenAPISchema
    var isRequired = false
    /// Its name in `components/parameters`; nil: it stands in its operation.
    var component: String?

    static func query(
        _ name: String, _ schema: OpenAPISchema, isRequired: Bool = false
    ) -> OpenAPIParameter {
        OpenAPIParameter(name: name, place: .query, schema: schema, isRequired: isRequired)
    }
}

extension JSONWriter {
    mutating func parameter(_ parameter: OpenAPIParameter) {
        beginObject()
        field("name", parameter.name)
        field("in", parameter.place.rawValue)
        if parameter.isRequired { field("required", true) }
        if !parameter.schema.note.isEmpty { field("description", parameter.schema.note) }
        key("schema")
        schema(parameter.schema.withoutNote)
        endObject()
    }
}
