import Testing

@testable import Node

@Suite struct JSONReaderTests {
    private func reader(_ text: String) throws -> JSONReader {
        JSONReader(try JSONDocument(text).root)
    }

    @Test func readsEveryType() throws {
        var reader = try reader(
            #"""
            {"s":"x","n":7,"b":true,"d":"1h30m","t":"1970-01-01T00:00:01Z","l":["a","b"],
             "m":{"z":"1","a":"2"},"p":{ "q":1e400 },"w":"two","o":{"i":1},"e":[{"i":2},{"i":3}],
             "u":{"k":{"i":4}}, "nothing":null}
            """#)
        #expect(reader.string("s") == "x")
        #expect(reader.integer("n", in: 0...9) == 7)
        #expect(reader.bool("b") == true)
        #expect(reader.durationMilliseconds("d") == 5_400_000)
        #expect(reader.timestampMilliseconds("t") == 1000)
        #expect(reader.strings("l") == ["a", "b"])
        let map = reader.stringMap("m")
        #expect(map?.map(\.name) == ["z", "a"])
        #expect(map?.map(\.value) == ["1", "2"])
        #expect(reader.raw("p") == Array("{ \"q\":1e400 }".utf8))
        #expect(reader.choice("w", of: ["one", "two"]) == "two")
        var numbers: [Int64?] = []
        #expect(reader.object("o") { inner in numbers.append(inner.integer("i")) })
        #expect(reader.objects("e") { _, inner in numbers.append(inner.integer("i")) } == 2)
        #expect(
            reader.map("u") { name, inner in numbers.append(name == "k" ? inner.integer("i") : 0) }
                == 1)
        #expect(numbers == [1, 2, 3, 4])
        #expect(reader.string("nothing") == nil)
        #expect(!reader.has("nothing"))
        #expect(reader.integer("absent") == nil)
        reader.finish()
        #expect(reader.problems == [])
    }

    @Test func gathersEveryProblemWithItsPlace() throws {
        var reader = try reader(
            #"""
            {"handler":5,"priority":12,"delay":"5 parsecs","runAt":"tomorrow","tags":["a",1],
             "retry":{"attempts":1.5,"backof":"linear"},"meta":{"x/y":false},"kind":"lineer",
             "after":["a","b","c"],"half":"\ud800"}
            """#)
        _ = reader.string("handler", required: true)
        _ = reader.integer("priority", in: 0...9)
        _ = reader.durationMilliseconds("delay")
        _ = reader.timestampMilliseconds("runAt")
        _ = reader.strings("tags")
        reader.object("retry") { retry in
            _ = retry.integer("attempts")
            _ = retry.string("backoff")
        }
        _ = reader.stringMap("meta")
        _ = reader.choice("kind", of: ["linear", "fixed"])
        _ = reader.strings("after", maxCount: 2)
        _ = reader.string("half")
        _ = reader.string("name", required: true)
        reader.finish()
        #expect(
            reader.problems.map(\.pointer) == [
                "/handler", "/priority", "/delay", "/runAt", "/tags/1", "/retry/attempts",
                "/retry/backof", "/meta/x~1y", "/kind", "/after", "/half", "/name",
            ])
        let details = reader.problems.map(\.detail)
        #expect(details[0] == "expected a string, found a number")
        #expect(details[1] == "12 is not between 0 and 9")
        #expect(details[6] == "unknown field \"backof\"; did you mean \"backoff\"?")
        #expect(
            details[8] == "\"lineer\" is not one of \"linear\", \"fixed\"; did you mean \"linear\"?"
        )
        #expect(details[11] == "is required")
    }

    @Test func namesUnknownFields() throws {
        var reader = try reader(#"{"handlr":"x","zzz":1}"#)
        _ = reader.string("handler")
        _ = reader.raw("payload")
        reader.finish()
        #expect(
            reader.problems.map(\.detail) == [
                "unknown field \"handlr\"; did you mean \"handler\"?", "unknown field \"zzz\"",
            ])
    }

    @Test func refusesWhatIsNoObject() throws {
        var reader = try reader("[1]")
        #expect(reader.string("a", required: true) == nil)
        reader.finish()
        #expect(
            reader.problems == [
                JSONProblem(pointer: "", detail: "expected an object, found an array")
            ])
    }

    @Test func knowsMembersBeyondTheSixtyFourth() throws {
        let members = (0..<70).map { "\"f\($0)\":1" }.joined(separator: ",")
        var reader = try reader("{\(members)}")
        for number in 0..<70 where number != 3 && number != 68 { _ = reader.integer("f\(number)") }
        reader.finish()
        #expect(reader.problems.map(\.pointer) == ["/f3", "/f68"])
    }

    @Test func bringsBackAtMostAHundredProblems() throws {
        let members = (0..<500).map { "\"f\($0)\":1" }.joined(separator: ",")
        var reader = try reader("{\(members)}")
        reader.finish()
        #expect(reader.problems.count == JSONReader.maxProblems)
    }

    @Test func limitsTextsInBytes() throws {
        var reader = try reader(#"{"a":"ééé","b":"","c":[1,2,3]}"#)
        #expect(reader.string("a", maxBytes: 5) == nil)
        #expect(reader.string("b", allowEmpty: false) == nil)
        #expect(reader.raw("c", maxBytes: 6) == nil)
        #expect(reader.problems.count == 3)
    }

    @Test(arguments: [
        ("handlr", "handler"), ("hadnler", "handler"), ("Handler", "handler"),
        ("prioity", "priority"),
    ])
    func guessesWhatWasMeant(typed: String, meant: String) {
        #expect(Spelling.nearest(to: typed, among: ["queue", "handler", "priority"]) == meant)
    }

    @Test func guessesNothingFarFetched() {
        #expect(Spelling.nearest(to: "colour", among: ["queue", "handler"]) == nil)
    }
}
