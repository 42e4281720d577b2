import Testing

@testable import Node
@testable import Scheduler

@Suite struct TaskBatchTests {
    private func batch(_ fixture: APIFixture, _ body: String) throws -> APIFixture.Reply {
        try fixture.call("POST", "/v1/tasks/batch", body)
    }

    /// State of the job, and to how many tasks it was done.
    private func outcome(_ reply: APIFixture.Reply, _ count: String) throws -> [String] {
        let job = try reply.json()
        return [
            String(reply.status), job["state"]?.string ?? "", job[count]?.source ?? "",
            job["more"]?.source ?? "",
        ]
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
        #expect(try outcome(cancelled, "cancelled") == ["200", "done", "1", "false"])
        let states = {
            try ["t1", "t2", "t3"].map { id in
                try fixture.call("GET", "/v1/tasks/\(id)").json()["state"]?.string
            }
        }
        #expect(try states() == ["cancelled", "ready", "ready"])
        let rest = try batch(fixture, #"{"action": "cancel", "filter": {}}"#)
        #expect(try outcome(rest, "cancelled") == ["200", "done", "2", "false"])
        let one = try batch(
            fixture, #"{"action": "retry", "filter": {"state": "cancelled"}, "limit": 1}"#)
        #expect(try outcome(one, "retried") == ["200", "done", "1", "true"])
        #expect(try states() == ["cancelled", "cancelled", "ready"])
        let deleted = try batch(fixture, #"{"action": "delete", "filter": {}}"#)
        #expect(try outcome(deleted, "deleted") == ["200", "done", "2", "false"])
        #expect(try fixture.call("GET", "/v1/tasks/t1").status == 404)
        // One that is ready can't be deleted, asked for or not.
        let none = try batch(
            fixture, #"{"action": "delete", "filter": {"state": ["ready", "dead"]}}"#)
        #expect(try outcome(none, "deleted") == ["200", "done", "0", "false"])
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
        #expect(try outcome(none, "deleted") == ["200", "done", "0", "false"])
        let all = try fixture.call("DELETE", "/v1/dead")
        #expect(try outcome(all, "deleted") == ["200", "done", "2", "false"])
        #expect(try fixture.call("GET", "/v1/dead").json()["items"]?.elements.isEmpty == true)
    }

    @Test func aJobThatGoesOnIsToldAndFollowed() throws {
        let fixture = try APIFixture(slots: 0)
        for _ in 0..<3 { _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#) }
        let begun = try fixture.call(
            "POST", "/v1/tasks/batch?wait=0s", #"{"action": "cancel", "filter": {"q": "echo"}}"#,
            headers: ["idempotency-key: k"])
        #expect(begun.status == 202 && begun.header("location") == "/v1/jobs/b1")
        let done = try fixture.call("GET", "/v1/jobs/b1?wait=10s")
        #expect(try outcome(done, "cancelled") == ["200", "done", "3", "false"])
        #expect(try done.json()["filter"]?.source == #"{"q":"echo"}"#)
        #expect(try done.json()["progress"]?.integer == 100)
        let again = try fixture.call(
            "POST", "/v1/tasks/batch", #"{"action": "cancel", "filter": {"q": "echo"}}"#,
            headers: ["idempotency-key: k"])
        #expect(try again.json()["id"]?.string == "b1")
        let other = try batch(fixture, #"{"action": "delete", "filter": {}, "key": "k"}"#)
        #expect(other.status == 409)
        #expect(try fixture.call("GET", "/v1/jobs").json()["items"]?.elements.count == 1)
        #expect(try fixture.call("DELETE", "/v1/jobs/b1").status == 409)
        #expect(try fixture.call("GET", "/v1/jobs/b2").status == 404)
        #expect(try fixture.call("GET", "/v1/jobs/x").status == 404)
    }

    @Test func mistakesAreTold() throws {
        let fixture = try APIFixture()
        let reply = try batch(
            fixture,
            #"{"action": "drop", "filter": {"state": ["dead", "ded"], "queu": "x", "meta": {"a": 1}, "workflow": "t1"}, "limit": 0}"#
        )
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string } == [
                "/action", "/filter/state", "/filter/workflow", "/filter/meta/a", "/filter/queu",
                "/limit",
            ])
        #expect(try batch(fixture, #"{"action": "cancel"}"#).status == 422)
    }
}
