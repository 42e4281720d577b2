import Testing

@testable import Node
@testable import Scheduler

@Suite struct SubmissionShapeTests {
    private func shape(of text: String) throws -> SubmissionShape? {
        let value = try JSONDocument(text).root
        var reader = JSONReader(value)
        let read = TaskSpecReader.read(&reader, as: .submission)
        reader.finish()
        #expect(reader.problems.isEmpty)
        return SubmissionShape(value, readAs: try #require(read))
    }

    @Test func whatDiffersInItsPayloadOnlyIsReadAlike() throws {
        let shape = try #require(
            try shape(
                of: #"{"handler": "echo", "payload": {"n": 1}, "priority": 7, "delay": "1h"}"#))
        let text = #"{"handler": "echo", "payload": [null, "x"], "priority": 7, "delay": "1h"}"#
        let spec = try #require(shape.spec(of: try JSONDocument(text).root))
        var reader = JSONReader(try JSONDocument(text).root)
        #expect(spec == TaskSpecReader.read(&reader, as: .submission))
        #expect(String(decoding: spec.payload, as: UTF8.self) == #"[null, "x"]"#)
    }

    @Test(arguments: [
        #"{"handler": "Echo", "payload": 1, "delay": "1h"}"#,
        #"{"handler": "echo", "payload": 1, "delay": "2h"}"#,
        #"{"handler": "echo", "payload": 1, "delay": "1h", "key": "k"}"#,
        #"{"handler": "echo", "payload": 1}"#,
        #"{"handler": "echo", "Payload": 1, "delay": "1h"}"#,
        #"{"handler": "echo", "delay": "1h"}"#,
        #"{"payload": 1, "handler": "echo", "delay": "1h"}"#,
        #"["payload", 1]"#, "7",
    ])
    func whatDiffersInMoreHasToBeRead(text: String) throws {
        let shape = try #require(
            try shape(of: #"{"handler": "echo", "payload": 1, "delay": "1h"}"#))
        #expect(shape.spec(of: try JSONDocument(text).root) == nil)
    }

    @Test func aPayloadThatIsTooLargeIsNotTaken() throws {
        let shape = try #require(try shape(of: #"{"handler": "echo", "payload": ""}"#))
        func payload(_ count: Int) throws -> JSONValue {
            let text = String(repeating: "x", count: count - 2)
            return try JSONDocument(#"{"handler": "echo", "payload": "\#(text)"}"#).root
        }
        #expect(shape.spec(of: try payload(Limits.maxPayloadBytes)) != nil)
        #expect(shape.spec(of: try payload(Limits.maxPayloadBytes + 1)) == nil)
    }

    @Test func aPayloadThatWantsResultsHasToBeRead() throws {
        #expect(try shape(of: #"{"handler": "echo", "payload": 1, "after": ["t1"]}"#) == nil)
        #expect(try shape(of: #"{"handler": "echo"}"#) == nil)
    }

    @Test func eachTaskOfAListGetsWhatItSays() throws {
        let fixture = try APIFixture()
        let tasks = [
            #"{"handler": "echo", "payload": 1, "delay": "1h"}"#,
            #"{"handler": "echo", "payload": 2, "delay": "1h"}"#,
            #"{"handler": "echo", "payload": 3, "delay": "2h"}"#,
            #"{"handler": "", "payload": 4, "delay": "2h"}"#,
            #"{"handler": "echo", "payload": 5, "delay": "2h", "priority": 9}"#,
            #"{"handler": "echo", "payload": 6, "delay": "2h", "priority": 9}"#,
        ]
        let reply = try fixture.call(
            "POST", "/v1/tasks", "[" + tasks.joined(separator: ",") + "]")
        let items = try #require(try reply.json()["items"]?.elements)
        var found: [String] = []
        for item in items {
            guard let id = item["id"]?.string else {
                found.append("none")
                continue
            }
            let task = try fixture.call("GET", "/v1/tasks/\(id)").json()
            let start = try #require(task["runAt"]?.string)
            let made = try #require(task["createdAt"]?.string)
            let hours = (try Timestamp.parse(start) - Timestamp.parse(made)) / 3_600_000
            found.append(
                "\(task["payload"]?.source ?? "") \(task["priority"]?.source ?? "") \(hours)")
        }
        #expect(found == ["1 5 1", "2 5 1", "3 5 2", "none", "5 9 2", "6 9 2"])
    }
}
