import Scheduler
import Testing

@testable import Node

@Suite struct TemplateTests {
    private let payload =
        #"{"a":{"b":"x/y z"},"n":1e400,"s":"say \"hi\"\n","l":[10,{"k":"é"}],"null":null,"o":{ "p":1}}"#

    private func render(
        _ text: String, _ position: Template.Position, schedule: String? = "nightly",
        payload: String? = nil
    ) throws -> String {
        let payload = payload ?? self.payload
        let assignment = Assignment(
            worker: "w", incarnation: 1, task: TaskID(7), attempt: 2, fence: 99, handler: "h",
            payload: Array(payload.utf8), timeoutMilliseconds: 1000, scheduledAt: 0, assignedAt: 0,
            occurrence: schedule.map { $0 + "@1970" }, schedule: schedule,
            inputs: [
                TaskInput(name: "t3", result: Array(#"{"k": "v w"}"#.utf8)),
                TaskInput(name: "t4", result: nil),
            ])
        let template = try Template(text, for: position)
        let bytes = try template.render(assignment, payload: try JSONDocument(payload).root)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("https://h/{{payload.a.b}}?q={{ payload.l.1.k }}", "https://h/x%2Fy%20z?q=%C3%A9"),
        ("https://h/{{task.id}}/{{task.attempt}}/{{task.fence}}", "https://h/t7/2/99"),
        ("https://h/{{task.scheduledAt}}", "https://h/1970-01-01T00%3A00%3A00.000Z"),
        ("https://h/{{payload.n}}{{payload.null}}", "https://h/1e400null"),
        ("https://h/{{payload.o}}", "https://h/%7B%20%22p%22%3A1%7D"),
        ("https://h/}}", "https://h/}}"), ("https://h/{{inputs.t3.k}}", "https://h/v%20w"),
    ])
    func encodesInURLs(text: String, expected: String) throws {
        #expect(try render(text, .url) == expected)
    }

    @Test(arguments: [
        (
            "{{payload}}",
            #"{"a":{"b":"x/y z"},"n":1e400,"s":"say \"hi\"\n","l":[10,{"k":"é"}],"null":null,"o":{ "p":1}}"#
        ),
        ("{{payload.s}}", #""say \"hi\"\n""#),
        (
            #"{"t": {{payload.s}}, "u": "{{payload.s}}!", "n": {{payload.n}}, "o": {{payload.o}}}"#,
            #"{"t": "say \"hi\"\n", "u": "say \"hi\"\n!", "n": 1e400, "o": { "p":1}}"#
        ),
        (
            #"{"id": {{task.id}}, "q": "{{task.id}}", "attempt": {{task.attempt}}}"#,
            #"{"id": "t7", "q": "t7", "attempt": 2}"#
        ),
        (#"{"o": "{{payload.o}}"}"#, #"{"o": "{ \"p\":1}"}"#),
        (#"{"e": "\"{{payload.a.b}}\""}"#, #"{"e": "\"x/y z\""}"#),
        ("{{inputs}}", #"{"t3":{"k": "v w"},"t4":null}"#),
        (#"{"a": {{inputs.t4}}, "b": "{{inputs.t3.k}}"}"#, #"{"a": null, "b": "v w"}"#),
        ("Hello {{payload.s}}", "Hello say \"hi\"\n"), ("no place", "no place"),
    ])
    func keepsJSONJSONInBodies(text: String, expected: String) throws {
        #expect(try render(text, .body) == expected)
    }

    @Test(arguments: ["/{{payload.up}}/x", "/a/.{{payload.dot}}", "/{{payload.dot}}?q"])
    func refusesStepsInPaths(text: String) throws {
        let payload = #"{"up":"..","dot":"."}"#
        let error = #expect(throws: TemplateError.self) {
            try render("https://h" + text, .url, payload: payload)
        }
        #expect(error?.reason.hasSuffix("as a part of the URL's path") == true)
        // They mean nothing elsewhere.
        let url = "https://h/{{payload.up}}.txt?to={{payload.up}}#{{payload.dot}}"
        #expect(try render(url, .url, payload: payload) == "https://h/...txt?to=..#.")
        #expect(throws: TemplateError.self) {
            try Template("https://h/../{{payload.a}}", for: .url)
        }
    }

    @Test func putsTextIntoHeaders() throws {
        #expect(
            try render("task {{task.id}} of {{task.schedule}} {{task.occurrence}}", .header)
                == "task t7 of nightly nightly@1970")
        #expect(try render("[{{task.schedule}}]", .header, schedule: nil) == "[]")
    }

    @Test func refusesToBreakOutOfAHeader() throws {
        let error = #expect(throws: TemplateError.self) { try render("{{payload.s}}", .header) }
        #expect(error?.reason == "would put a control character into a header")
        #expect(throws: TemplateError.self) { try Template("a\r\nb: c", for: .header) }
    }

    @Test(arguments: ["payload.x", "payload.a.b.c", "payload.l.2", "payload.l.-1", "payload.l.k"])
    func saysWhatThePayloadLacks(name: String) {
        let error = #expect(throws: TemplateError.self) { try render("{{\(name)}}", .url) }
        #expect(error?.reason == "the payload has no \"\(name.dropFirst(8))\"")
    }

    @Test func saysWhichInputIsMissing() {
        let error = #expect(throws: TemplateError.self) { try render("{{inputs.t5}}", .url) }
        #expect(error?.reason == "the input has no \"t5\"")
    }

    @Test(arguments: [
        "{{", "{{}}", "{{ }}", "a {{payload", "{{env.HOME}}", "{{task}}", "{{task.secret}}",
        "{{payload..a}}",
        "{{payload a}}", "{{task.id.x}}",
    ])
    func refusesUnknownPlaces(text: String) {
        #expect(throws: TemplateError.self) { try Template(text, for: .body) }
    }
}
