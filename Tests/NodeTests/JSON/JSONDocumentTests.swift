import Testing

@testable import Node

@Suite struct JSONDocumentTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12345678901234567890", "1e400", "-1.5E-7", "\"\"",
        "[]", "{}", " [ 1 , 2 ] ", "{\"a\":{\"b\":[1,{\"c\":null}]}}", "\"\\ud800\"",
        "\"\\ud83d\\ude00\"", "\"é😀\\u0000\\/\"", "\t\r\n1 ",
    ])
    func accepts(text: String) throws {
        let document = try JSONDocument(text)
        #expect(document.root.range.lowerBound >= 0)
        #expect(JSONDocument.isValid(Array(text.utf8)))
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "1.", ".5", "1e", "+1", "--1", "0x1", "NaN",
        "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"a\nb\"", "[", "[1", "[1,", "[1,]",
        "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{\"a\" 1}", "{1:1}", "1 2", "[]]", "// c\n1", "\u{FEFF}1",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONDocument(text) }
        #expect(!JSONDocument.isValid(Array(text.utf8)))
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xFF], [0xE2, 0x82],
        ] as [[UInt8]])
    func refusesBytesThatAreNotUTF8(bytes: [UInt8]) {
        let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        #expect(throws: JSONError.self) { try JSONDocument(text) }
        #expect(String(validating: bytes, as: UTF8.self) == nil, "the twin agrees")
    }

    @Test func acceptsEveryScalarThatSwiftAccepts() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 89) {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else {
                continue
            }
            let text = "\"\(Character(scalar))\""
            #expect(try JSONDocument(text).root.string == String(Character(scalar)))
        }
    }

    @Test func keepsEveryByteOfAMember() throws {
        let payload =
            #"{ "n" : 12345678901234567890, "x":1e400,"s":"\ud800\u00e9 é" , "a":[ 1,2 ]}"#
        let root = try JSONDocument("{\"handler\":\"echo\",\"payload\": \(payload) }").root
        #expect(String(decoding: root["payload"]?.raw ?? [], as: UTF8.self) == payload)
        #expect(root["payload"]?["n"]?.integer == nil)
        #expect(root["payload"]?["x"]?.double == nil)
        #expect(root["payload"]?["a"]?.elements.map(\.integer) == [1, 2])
    }

    @Test func decodesEscapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00""#
        #expect(try JSONDocument(text).root.string == "\"\\/\u{8}\u{C}\n\r\tAé€😀")
        let lone = try JSONDocument(#""a\udc00b""#).root
        #expect(lone.hasLoneSurrogate)
        #expect(lone.string == "a\u{FFFD}\u{FFFD}\u{FFFD}b" || lone.string == "a\u{FFFD}b")
        #expect(try !JSONDocument(#""\ud83d\ude00""#).root.hasLoneSurrogate)
    }

    @Test func tellsLoneSurrogatesApartAsNames() throws {
        #expect(try JSONDocument(#"{"\ud800":1,"\ud801":2}"#).root.members.count == 2)
        #expect(throws: JSONError.self) { try JSONDocument(#"{"\ud800":1,"\uD800":2}"#) }
    }

    @Test func findsMembersByNameAlsoWhenEscaped() throws {
        let root = try JSONDocument(#"{"a":1,"\u0062c":{"d":[]},"é":2}"#).root
        #expect(root["bc"]?["d"]?.kind == .array)
        #expect(root["é"]?.integer == 2)
        #expect(root["b"] == nil)
        #expect(root["a"]?["x"] == nil)
        #expect(root.members.map(\.name) == ["a", "bc", "é"])
        #expect(root.member("é")?.ordinal == 2)
    }

    @Test func refusesANameThatStandsTwiceAmongMany() throws {
        let names = (0..<40).map { "\"k\($0)\":0" }
        #expect(try JSONDocument("{\(names.joined(separator: ","))}").root.members.count == 40)
        let twice = "{\"o\":{\((names + ["\"k7\":1"]).joined(separator: ","))}}"
        let error = #expect(throws: JSONError.self) { try JSONDocument(twice) }
        #expect(error?.reason.contains("k7") == true)
        #expect(error?.pointer == "/o")
    }

    @Test func limitsDepth() throws {
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(try JSONDocument(deep).root.kind == .array)
        #expect(throws: JSONError.self) { try JSONDocument("[" + deep + "]") }
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONDocument(bomb) }
    }

    @Test(arguments: [
        (#"{"a":{"b/c":[1,2,x]}}"#, 17, "/a/b~1c/2"),
        (#"{"a":tru}"#, 5, "/a"),
        (#"{"a":1 "b"}"#, 7, ""),
        (#"[1,[2,3"#, 7, "/1/2"),
        (#"[1]x"#, 3, ""),
    ])
    func saysWhereTheErrorIs(text: String, offset: Int, pointer: String) {
        let error = #expect(throws: JSONError.self) { try JSONDocument(text) }
        #expect(error?.offset == offset)
        #expect(error?.pointer == pointer)
    }

    @Test func randomDocumentsComeBackFromTheWriter() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var writer = JSONWriter()
            Self.write(depth: 0, &writer, &generator)
            var copy = JSONWriter()
            Self.copy(try JSONDocument(writer.bytes).root, to: &copy)
            #expect(copy.bytes == writer.bytes)
        }
    }

    @Test func damagedTextNeverTraps() {
        let text = Array(
            #"{"a":[1,-2.5e3,true,null,"\ud83d\ude00 é",{"b":{}}],"c":"\u0041","d":false}"#.utf8)
        for _ in 0..<5000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...3) where !damaged.isEmpty {
                switch Int.random(in: 0..<3) {
                case 0: damaged[Int.random(in: 0..<damaged.count)] = UInt8.random(in: 0...255)
                case 1: damaged.remove(at: Int.random(in: 0..<damaged.count))
                default: damaged = Array(damaged.prefix(Int.random(in: 1...damaged.count)))
                }
            }
            let document = try? JSONDocument(damaged)
            #expect(JSONDocument.isValid(damaged) == (document != nil))
            guard let document else { continue }
            // What is accepted is UTF-8 and is accepted again after a copy through the writer.
            #expect(String(validating: damaged, as: UTF8.self) != nil)
            #expect(JSONDocument.isValid(document.root.raw))
        }
    }

    private static func write(
        depth: Int, _ writer: inout JSONWriter, _ generator: inout SystemRandomNumberGenerator
    ) {
        switch Int.random(in: 0..<(depth > 4 ? 4 : 6), using: &generator) {
        case 0: writer.null()
        case 1: writer.bool(Bool.random(using: &generator))
        case 2: writer.int(Int64.random(in: .min ... .max, using: &generator))
        case 3: writer.string(text(&generator))
        case 4:
            writer.beginArray()
            for _ in 0..<Int.random(in: 0..<5, using: &generator) {
                write(depth: depth + 1, &writer, &generator)
            }
            writer.endArray()
        default:
            writer.beginObject()
            for number in 0..<Int.random(in: 0..<25, using: &generator) {
                writer.key(JSONName("\(number)" + text(&generator)))
                write(depth: depth + 1, &writer, &generator)
            }
            writer.endObject()
        }
    }

    private static func text(_ generator: inout SystemRandomNumberGenerator) -> String {
        let alphabet: [Character] = [
            "a", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "\u{7F}", "\u{1F}",
        ]
        return String(
            (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            })
    }

    private static func copy(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value.kind {
        case .null: writer.null()
        case .bool: writer.bool(value.bool == true)
        case .number: writer.int(value.integer ?? 0)
        case .string: writer.string(value.string ?? "")
        case .array:
            writer.beginArray()
            for element in value.elements { copy(element, to: &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            for (name, member) in value.members {
                writer.key(JSONName(name))
                copy(member, to: &writer)
            }
            writer.endObject()
        }
    }
}
