/// What a JSON value looks like: as much of JSON Schema as the specification of the interface needs.
struct OpenAPISchema: Sendable {
    indirect enum Shape: Sendable {
        case anything
        case text(format: String?)
        case choice([String])
        case integer(least: Int?, most: Int?)
        case number
        case flag
        case list(OpenAPISchema)
        /// An object with names of the user's own.
        case map(OpenAPISchema)
        case object([Field])
        /// One of `components/schemas`.
        case reference(String)
        case anyOf([OpenAPISchema])
    }

    struct Field: Sendable {
        let name: String
        let schema: OpenAPISchema
        /// It always stands there, or has to be given.
        let isRequired: Bool
    }

    let shape: Shape
    /// For people.
    private(set) var note: String
    private(set) var isNullable = false
    /// It is part of answers, and says nothing in requests.
    private(set) var isReadOnly = false
    /// What holds if it is not given, as JSON.
    private(set) var standard: String?

    init(_ shape: Shape, _ note: String = "") {
        self.shape = shape
        self.note = note
    }

    var orNull: OpenAPISchema {
        var schema = self
        schema.isNullable = true
        return schema
    }

    var withoutNote: OpenAPISchema {
        var schema = self
        schema.note = ""
        return schema
    }

    var readOnly: OpenAPISchema {
        var schema = self
        schema.isReadOnly = true
        return schema
    }

    func standard(_ json: String) -> OpenAPISchema {
        var schema = self
        schema.standard = json
        return schema
    }
}

/// In the words of the tables.
extension OpenAPISchema {
    static func anything(_ note: String) -> OpenAPISchema { OpenAPISchema(.anything, note) }

    static func text(_ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.text(format: nil), note)
    }

    static func time(_ note: String) -> OpenAPISchema {
        OpenAPISchema(.text(format: "date-time"), note)
    }

    /// Such as `250ms`, `1h30m`, `7d`.
    static func duration(_ note: String) -> OpenAPISchema {
        OpenAPISchema(.text(format: "duration-text"), note)
    }

    static func address(_ note: String) -> OpenAPISchema {
        OpenAPISchema(.text(format: "uri"), note)
    }

    static func choice(_ names: [String], _ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.choice(names), note)
    }

    static func integer(
        _ note: String, from least: Int? = 0, to most: Int? = nil
    ) -> OpenAPISchema {
        OpenAPISchema(.integer(least: least, most: most), note)
    }

    static func flag(_ note: String) -> OpenAPISchema { OpenAPISchema(.flag, note) }

    static func list(of item: OpenAPISchema, _ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.list(item), note)
    }

    static func map(of value: OpenAPISchema, _ note: String) -> OpenAPISchema {
        OpenAPISchema(.map(value), note)
    }

    static func object(_ fields: [Field], _ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.object(fields), note)
    }

    static func reference(_ name: String, _ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.reference(name), note)
    }

    static func anyOf(_ schemas: [OpenAPISchema], _ note: String = "") -> OpenAPISchema {
        OpenAPISchema(.anyOf(schemas), note)
    }

    /// A page of a list.
    static func page(of name: String) -> OpenAPISchema {
        .object([
            .always("items", .list(of: .reference(name))),
            .always("next", .text("The `cursor` of the next page; null: this is the last.").orNull),
        ])
    }
}

extension OpenAPISchema.Field {
    static func always(_ name: String, _ schema: OpenAPISchema) -> OpenAPISchema.Field {
        OpenAPISchema.Field(name: name, schema: schema, isRequired: true)
    }

    static func maybe(_ name: String, _ schema: OpenAPISchema) -> OpenAPISchema.Field {
        OpenAPISchema.Field(name: name, schema: schema, isRequired: false)
    }
}

extension JSONWriter {
    mutating func schema(_ schema: OpenAPISchema) {
        beginObject()
        if case .reference(let name) = schema.shape, schema.isNullable {
            key("anyOf")
            beginArray()
            self.schema(.reference(name))
            beginObject()
            field("type", "null")
            endObject()
            endArray()
        } else {
            shape(schema)
        }
        if !schema.note.isEmpty { field("description", schema.note) }
        if schema.isReadOnly { field("readOnly", true) }
        if let standard = schema.standard { rawField("default", Array(standard.utf8)) }
        endObject()
    }

    private mutating func shape(_ schema: OpenAPISchema) {
        let isNullable = schema.isNullable
        switch schema.shape {
        case .anything: break
        case .text(let format):
            type("string", isNullable)
            if let format { field("format", format) }
        case .choice(let names):
            type("string", isNullable)
            key("enum")
            beginArray()
            for name in names { string(name) }
            if isNullable { null() }
            endArray()
        case .integer(let least, let most):
            type("integer", isNullable)
            if let least { field("minimum", least) }
            if let most { field("maximum", most) }
        case .number: type("number", isNullable)
        case .flag: type("boolean", isNullable)
        case .list(let item):
            type("array", isNullable)
            key("items")
            self.schema(item)
        case .map(let value):
            type("object", isNullable)
            key("additionalProperties")
            self.schema(value)
        case .object(let fields):
            type("object", isNullable)
            members(fields)
        case .reference(let name): field("$ref", "#/components/schemas/\(name)")
        case .anyOf(let schemas):
            precondition(!isNullable, "null is one of the alternatives")
            key("anyOf")
            beginArray()
            for schema in schemas { self.schema(schema) }
            endArray()
        }
    }

    private mutating func members(_ fields: [OpenAPISchema.Field]) {
        key("properties")
        beginObject()
        for member in fields {
            key(JSONName(member.name))
            schema(member.schema)
        }
        endObject()
        let required = fields.filter(\.isRequired).map(\.name)
        if !required.isEmpty { field("required", required) }
    }

    private mutating func type(_ name: String, _ isNullable: Bool) {
        if isNullable { field("type", [name, "null"]) } else { field("type", name) }
    }
}
