import Scheduler
import Testing

@testable import Node

@Suite struct TemplatesAPITests {
    private static let body = #"""
        {"task": {"handler": "echo", "queue": "mail",
                  "payload": {"to": "{{params.to}}", "text": "Dear {{params.to}}, {{params.n}} of {{occurrence}}",
                              "n": "{{params.n}}", "keep": "{{results.t1}}"}},
         "params": {"to": null, "n": 3}}
        """#

    private func fixture() throws -> APIFixture {
        let fixture = try APIFixture()
        let put = try fixture.call("PUT", "/v1/templates/letter", Self.body)
        try #require(put.status == 201, "\(put.text)")
        return fixture
    }

    @Test func `templates are put, replaced, listed and deleted`() throws {
        let fixture = try fixture()
        let shown = try fixture.call("GET", "/v1/templates/letter").json()
        #expect(shown["name"]?.string == "letter")
        #expect(shown["params"]?["n"]?.integer == 3 && shown["params"]?["to"]?.isNull == true)
        #expect(shown["task"]?["queue"]?.string == "mail")
        // What is returned can be put again.
        #expect(try fixture.call("PUT", "/v1/templates/letter", shown.source).status == 200)
        for name in ["b", "a"] {
            let put = try fixture.call("PUT", "/v1/templates/\(name)", #"{"task": {}}"#)
            #expect(put.status == 201)
        }
        let first = try fixture.call("GET", "/v1/templates?limit=2").json()
        #expect(first["items"]?.elements.map { $0["name"]?.string } == ["a", "b"])
        let second = try fixture.call("GET", "/v1/templates?limit=2&cursor=b").json()
        #expect(second["items"]?.elements.map { $0["name"]?.string } == ["letter"])
        #expect(try fixture.call("DELETE", "/v1/templates/letter").status == 204)
        #expect(try fixture.call("DELETE", "/v1/templates/letter").status == 404)
        #expect(try fixture.call("GET", "/v1/templates/letter").status == 404)
    }

    @Test func `a task is made of the template, its parameters and fields of its own`() throws {
        let fixture = try fixture()
        let made = try fixture.call(
            "POST", "/v1/tasks",
            #"{"template": "letter", "params": {"to": "J \"R\""}, "priority": 9, "queue": "slow"}"#)
        #expect(made.status == 201, "\(made.text)")
        let task = try made.json()
        #expect(task["template"]?.string == "letter" && task["handler"]?.string == "echo")
        #expect(task["priority"]?.integer == 9 && task["queue"]?.string == "slow")
        let payload = task["payload"]
        #expect(payload?["to"]?.string == "J \"R\"" && payload?["n"]?.integer == 3)
        #expect(payload?["text"]?.string == "Dear J \"R\", 3 of {{occurrence}}")
        #expect(payload?["keep"]?.string == "{{results.t1}}")
        // A parameter may be of any kind, and null is not given.
        let other = try fixture.call(
            "POST", "/v1/tasks",
            #"{"template": "letter", "params": {"to": ["a", 1], "n": null}, "queue": null}"#
        ).json()
        #expect(other["payload"]?["to"]?.source == #"["a", 1]"#)
        #expect(other["payload"]?["text"]?.string?.hasPrefix(#"Dear ["a", 1], 3"#) == true)
        #expect(other["queue"]?.string == "mail")
        let plain = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#).json()
        #expect(plain["template"]?.isNull == true)
    }

    @Test func `a schedule that is put as it was returned keeps the name of its template`() throws {
        let fixture = try fixture()
        let made = try fixture.call(
            "PUT", "/v1/schedules/s",
            #"{"every": "1h", "task": {"template": "letter", "params": {"to": "J"}}}"#)
        #expect(made.status == 201, "\(made.text)")
        let shown = try fixture.call("GET", "/v1/schedules/s")
        let again = try fixture.call("PUT", "/v1/schedules/s", shown.text)
        #expect(again.status == 200, "\(again.text)")
        #expect(try again.json()["template"]?.string == "letter")
        let task = try fixture.call("POST", "/v1/schedules/s/trigger").json()
        #expect(task["template"]?.string == "letter")
        let wrong = try fixture.call(
            "PUT", "/v1/schedules/s",
            #"{"every": "1h", "template": "a:b", "task": {"handler": "echo"}}"#)
        #expect(wrong.status == 422 && wrong.text.contains("/template"))
    }

    @Test func `what does not fit the template is told with its place`() throws {
        let fixture = try fixture()
        func pointers(_ body: String) throws -> [String?] {
            let reply = try fixture.call("POST", "/v1/tasks", body)
            #expect(reply.status == 422)
            return try reply.json()["errors"]?.elements.map { $0["pointer"]?.string } ?? []
        }
        #expect(try pointers(#"{"template": "none"}"#) == ["/template"])
        #expect(try pointers(#"{"template": 5}"#) == ["/template"])
        #expect(
            try pointers(#"{"template": "letter", "params": {"too": "x"}}"#)
                == ["/params/too", "/params/to"])
        #expect(try pointers(#"{"template": "letter", "params": []}"#) == ["/params"])
        #expect(try pointers(#"{"handler": "echo", "params": {}}"#) == ["/params"])
        #expect(
            try pointers(#"{"template": "letter", "params": {"to": ""}, "prio": 1}"#) == ["/prio"])
        #expect(
            try pointers(#"{"chain": [{"handler": "echo"}, {"template": "x"}]}"#)
                == ["/chain/1/template"])
    }

    @Test func `parameters can't make a task larger than a body may be`() throws {
        let fixture = try APIFixture()
        let many = (0..<100).map { _ in "\"{{params.x}}\"" }.joined(separator: ",")
        _ = try fixture.call(
            "PUT", "/v1/templates/wide",
            "{\"task\": {\"handler\": \"echo\", \"payload\": [\(many)]}, \"params\": {\"x\": null}}"
        )
        let large = String(repeating: "x", count: 100_000)
        let reply = try fixture.call(
            "POST", "/v1/tasks", "{\"template\": \"wide\", \"params\": {\"x\": \"\(large)\"}}")
        #expect(reply.status == 422 && reply.text.contains("grows beyond"))
    }

    @Test func `mistakes are told when the template is put`() throws {
        let fixture = try APIFixture()
        func pointers(_ body: String) throws -> [String?] {
            let reply = try fixture.call("PUT", "/v1/templates/t", body)
            #expect(reply.status == 422, "\(reply.text)")
            return try reply.json()["errors"]?.elements.map { $0["pointer"]?.string } ?? []
        }
        #expect(try pointers("{}") == ["/task"])
        #expect(
            try pointers(#"{"task": {"payload": ["{{params.y}}"]}, "params": {"x": 1}}"#)
                == ["/task/payload/0"])
        #expect(try pointers(#"{"task": {"{{params.x}}": 1}, "params": {"x": 1}}"#).count == 1)
        #expect(try pointers(#"{"task": {"priority": 12, "retyr": {}}}"#).count == 2)
        // With its default the field is read, without one it can't be.
        #expect(
            try pointers(#"{"task": {"priority": "{{params.p}}"}, "params": {"p": 99}}"#)
                == ["/task/priority"])
        let open = #"{"task": {"priority": "{{params.p}}"}, "params": {"p": null}}"#
        #expect(try fixture.call("PUT", "/v1/templates/t", open).status == 201)
        let wrong = try fixture.call(
            "POST", "/v1/tasks", #"{"template": "t", "handler": "echo", "params": {"p": 99}}"#)
        #expect(wrong.status == 422 && wrong.text.contains("/priority"))
        let right = try fixture.call(
            "POST", "/v1/tasks", #"{"template": "t", "handler": "echo", "params": {"p": 7}}"#)
        #expect(try right.json()["priority"]?.integer == 7)
        #expect(try pointers(#"{"task": {"template": "t"}}"#) == ["/task"])
        #expect(try fixture.call("PUT", "/v1/templates/a%20b", #"{"task": {}}"#).status == 422)
    }

    @Test func `many tasks, workflows and schedules are made from templates`() throws {
        let fixture = try fixture()
        let use = #"{"template": "letter", "params": {"to": "X"}}"#
        let many = try fixture.call(
            "POST", "/v1/tasks", "[{\"handler\": \"echo\"}, \(use), {\"template\": \"none\"}]"
        ).json()
        let items = try #require(many["items"]?.elements)
        #expect(items.count == 3 && items[0]["id"] != nil)
        let id = try #require(items[1]["id"]?.string)
        #expect(
            try fixture.call("GET", "/v1/tasks/\(id)").json()["payload"]?["to"]?.string == "X")
        #expect(items[2]["error"]?["status"]?.integer == 422)
        let flow = try fixture.call(
            "POST", "/v1/tasks",
            "{\"group\": [\(use), {\"chain\": [\(use)]}], \"then\": {\"handler\": \"echo\"}}")
        #expect(flow.status == 201, "\(flow.text)")
        let last = try #require(try flow.json()["tasks"]?.elements.dropFirst().first?["id"]?.string)
        #expect(
            try fixture.call("GET", "/v1/tasks/\(last)").json()["template"]?.string == "letter")
        let schedule = try fixture.call(
            "PUT", "/v1/schedules/s", "{\"every\": \"1h\", \"task\": \(use)}")
        #expect(schedule.status == 201, "\(schedule.text)")
        #expect(try schedule.json()["template"]?.string == "letter")
        #expect(try schedule.json()["task"]?["payload"]?["to"]?.string == "X")
        // What was made stays as it is.
        _ = try fixture.call("DELETE", "/v1/templates/letter")
        let made = try fixture.call("POST", "/v1/schedules/s/trigger").json()
        #expect(made["template"]?.string == "letter")
        #expect(made["payload"]?["text"]?.string?.hasPrefix("Dear X, 3 of s@") == true)
    }
}
