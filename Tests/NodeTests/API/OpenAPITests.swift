import Testing

@testable import Node
@testable import Scheduler

/// `/openapi.json` against what a node does: it must neither promise nor conceal anything.
struct OpenAPITests {
    private let document: JSONValue
    private let check: SchemaCheck

    init() throws {
        document = try JSONDocument(OpenAPIDocument.bytes).root
        check = SchemaCheck(document)
    }

    private var paths: [(name: String, methods: [String])] {
        (document["paths"]?.members ?? []).map { path in
            (
                path.name,
                path.value.members.map(\.name).filter { $0 != "parameters" }.map {
                    $0.uppercased()
                }
            )
        }
    }

    // MARK: The document by itself

    @Test func `it is served as JSON, with a name for its version`() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("GET", "/openapi.json")
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "application/json")
        #expect(try reply.json()["openapi"]?.string == "3.1.0")
        #expect(reply.body == OpenAPIDocument.bytes)
        let tag = try #require(reply.header("etag"))
        let again = try fixture.call(
            "GET", "/openapi.json", headers: ["if-none-match: W/\"x\", \(tag)"])
        #expect(again.status == 304)
        #expect(again.body.isEmpty)
        let other = try fixture.call("GET", "/openapi.json", headers: ["if-none-match: \"x\""])
        #expect(other.status == 200)
        #expect(try fixture.call("POST", "/openapi.json", "{}").status == 405)
    }

    @Test func `every reference leads somewhere`() {
        var count = 0
        func visit(_ value: JSONValue) {
            for (name, member) in value.members {
                if name == "$ref", let reference = member.string {
                    count += 1
                    #expect(check.target(of: reference) != nil, "\(reference)")
                }
                visit(member)
            }
            for element in value.elements { visit(element) }
        }
        visit(document)
        #expect(count > 300)
    }

    @Test func `every operation has a name of its own, and every name in a path is explained`() {
        var names: Set<String> = []
        for (path, value) in document["paths"]?.members ?? [] {
            let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }
            let explained = (value["parameters"]?.elements ?? []).compactMap {
                $0["$ref"]?.string.flatMap(check.target)?["name"]?.string
            }
            #expect(inPath.map { String($0.dropFirst().dropLast()) } == explained, "\(path)")
            for (method, operation) in value.members where method != "parameters" {
                let name = operation["operationId"]?.string ?? ""
                #expect(names.insert(name).inserted, "\(method) \(path): \(name)")
            }
        }
    }

    @Test func `a required field is among the properties`() {
        for (name, schema) in OpenAPISchemas.all {
            guard case .object(let fields) = schema.shape else { continue }
            #expect(Set(fields.map(\.name)).count == fields.count, "\(name) has a field twice")
        }
    }

    // MARK: Paths

    /// What stands for the names in braces.
    private static let examples = [
        "task": "t1", "attempt": "1", "workflow": "w1", "job": "b1", "schedule": "daily",
        "queue": "mail", "template": "thumbnail", "namespace": "shop", "worker": "w7",
        "member": "n1",
    ]

    private static func example(_ path: String) -> String {
        let segments = path.split(separator: "/").map { segment in
            guard segment.hasPrefix("{") else { return String(segment) }
            return examples[String(segment.dropFirst().dropLast())] ?? "?"
        }
        return "/" + segments.joined(separator: "/")
    }

    /// PATCH is nowhere possible, so the answer names what is.
    private func methods(_ path: String, _ fixture: APIFixture) throws -> [String]? {
        let reply = try fixture.call("PATCH", path)
        guard reply.status == 405 else { return nil }
        return reply.header("allow")?.split(separator: ",").map {
            String($0.drop { $0 == " " })
        }
    }

    @Test func `each documented path has the documented methods, and no others`() throws {
        let fixture = try APIFixture()
        for (path, documented) in paths {
            let served = try methods(Self.example(path), fixture)
            #expect(served?.sorted() == documented.sorted(), "\(path)")
        }
    }

    /// Words that any part of the API tells paths apart by, tried behind every path that there is.
    @Test func `there is no path that is not documented`() throws {
        let fixture = try APIFixture()
        let known = Dictionary(
            uniqueKeysWithValues: paths.map { (Self.example($0.name), $0.methods) })
        let words = try Self.words()
        for word in ["retry", "openapi.json", "attempts", "backup", "progress"] {
            try #require(words.contains(word), "\(word) was not found in the sources")
        }
        var prefixes: Set<String> = [""]
        for path in known.keys {
            // Those in a namespace are the same resources once more.
            let segments = path.split(separator: "/")
            guard !path.hasPrefix("/v1/namespaces/shop/") || segments.count == 4 else { continue }
            for count in 1...max(1, segments.count) {
                prefixes.insert("/" + segments.prefix(count).joined(separator: "/"))
            }
        }
        for prefix in prefixes.sorted() {
            for word in words {
                let path = "\(prefix)/\(word)"
                guard known[path] == nil, let served = try methods(path, fixture) else { continue }
                let template = known.filter { Self.matches(path, $0.key) }
                #expect(
                    template.values.contains { $0.sorted() == served.sorted() },
                    "\(path) is served, and not documented: \(served)")
            }
        }
    }

    private static func words() throws -> [String] {
        var words: Set<String> = []
        for file in try SourceTree().files where file.path.hasPrefix("Node/API/") {
            for line in file.lines
            where line.code.contains("case \"") || line.code.contains("== \"") {
                for (place, part) in line.code.split(
                    separator: "\"", omittingEmptySubsequences: false
                ).enumerated() where place % 2 == 1 && !part.isEmpty && !part.contains(" ") {
                    words.insert(String(part))
                }
            }
        }
        return words.sorted()
    }

    /// Whether a path is the example's, but for names.
    private static func matches(_ path: String, _ example: String) -> Bool {
        let left = path.split(separator: "/")
        let right = example.split(separator: "/")
        guard left.count == right.count else { return false }
        return zip(left, right).allSatisfy { $0 == $1 || examples.values.contains(String($1)) }
    }

    @Test func `parameters of the document are known to the node`() throws {
        let fixture = try APIFixture()
        for (path, documented) in paths where documented.contains("GET") {
            let operation = try #require(check.operation("GET", path))
            for parameter in operation["parameters"]?.elements ?? [] {
                let found = try #require(parameter["$ref"]?.string.map(check.target) ?? parameter)
                guard found["in"]?.string == "query", let name = found["name"]?.string else {
                    continue
                }
                let query = name == "meta" ? "meta.a" : name
                let reply = try fixture.call(
                    "GET", Self.example(path) + "?\(query)=no%20value&follow=false&wait=0s")
                #expect(
                    !reply.text.contains("unknown parameter \\\"\(query)"), "\(path): \(reply.text)"
                )
            }
        }
    }
}
