import Testing

@testable import Node
@testable import Scheduler

@Suite struct TaskBatchTests {
    private func batch(_ fixture: APIFixture, _ body: String) throws -> APIFixture.Reply {
        try fixture.call("POST", "/v1/tasks/batch", body)
    }

    @Test func whatMatchesIsCancelledRetriedAndDeleted() throws {
        let fixture = try APIFixture(slots: 0)
        for (queue, label) in [("mail", "a"), ("mail", "b"), ("other", "a")] {
            _ = try fixture.call(
                "POST", "/v1/tasks",
                #"{"handler": "echo", "queue": "\#(queue)", "meta": {"l": "\#(label)"}}"#)
        }
        let cancelled = try batch(
            fixture, #"{"action": "cancel", "filter": {"queue": "mail", "meta": {"l": "a"}}}"#)
        #expect(cancelled.text == #"{"cancelled":1,"skipped":0,"more":false}"#)
        let states = {
            try ["t1", "t2", "t3"].map { id in
                try fixture.call("GET", "/v1/tasks/\(id)").json()["state"]?.string
            }
        }
        #expect(try states() == ["cancelled", "ready", "ready"])
        let rest = try batch(fixture, #"{"action": "cancel", "filter": {}}"#)
        #expect(rest.text == #"{"cancelled":2,"skipped":0,"more":false}"#)
        let one = try batch(
            fixture, #"{"action": "retry", "filter": {"state": "cancelled"}, "limit": 1}"#)
        #expect(one.text == #"{"retried":1,"skipped":0,"more":true}"#)
        #expect(try states() == ["cancelled", "cancelled", "ready"])
        let deleted = try batch(fixture, #"{"action": "delete", "filter": {}}"#)
        #expect(deleted.text == #"{"deleted":2,"skipped":0,"more":false}"#)
        #expect(try fixture.call("GET", "/v1/tasks/t1").status == 404)
        // It could not be done to one that is ready: asked for all the same, it is skipped.
        let skipped = try batch(
            fixture, #"{"action": "delete", "filter": {"state": ["ready", "dead"]}}"#)
        #expect(skipped.text == #"{"deleted":0,"skipped":1,"more":false}"#)
    }

    @Test func deadTasksAreForgotten() throws {
        let fixture = try APIFixture()
        for _ in 0..<2 {
            _ = try fixture.call(
                "POST", "/v1/tasks", #"{"handler": "echo", "retry": {"attempts": 1}}"#)
        }
        for id in ["t1", "t2"] {
            try fixture.finish(id, .failed(.init(message: "broken", kind: "error")))
        }
        let none = try fixture.call("DELETE", "/v1/dead?handler=other")
        #expect(none.text == #"{"deleted":0,"skipped":0,"more":false}"#)
        let all = try fixture.call("DELETE", "/v1/dead")
        #expect(all.text == #"{"deleted":2,"skipped":0,"more":false}"#)
        #expect(try fixture.call("GET", "/v1/dead").json()["items"]?.elements.isEmpty == true)
    }

    @Test func mistakesAreTold() throws {
        let fixture = try APIFixture()
        let reply = try batch(
            fixture,
            #"{"action": "drop", "filter": {"state": ["dead", "ded"], "queu": "x", "meta": {"a": 1}}, "limit": 0}"#
        )
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == ["/action", "/filter/state", "/filter/meta/a", "/filter/queu", "/limit"])
        #expect(try batch(fixture, #"{"action": "cancel"}"#).status == 422)
    }
}
