import Testing

@testable import Node
@testable import Scheduler

@Suite struct TasksAPITests {
    @Test func aSubmissionIsAnsweredWithTheTask() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "payload": {"n":  1.0}, "delay": "1h"}"#)
        #expect(reply.status == 201)
        #expect(reply.header("content-type") == "application/json")
        let task = try reply.json()
        #expect(task["id"]?.string == "t1")
        #expect(task["state"]?.string == "scheduled")
        #expect(task["payload"]?.source == #"{"n":  1.0}"#)
        let again = try fixture.call("GET", "/v1/tasks/t1")
        #expect(again.status == 200)
        #expect(again.body == reply.body)
        #expect(fixture.metrics.submits == 1)
        #expect(fixture.metrics.submitLatency.count == 1)
    }

    @Test func theSameKeyIsTheSameTask() throws {
        let fixture = try APIFixture()
        let body = #"{"handler": "echo", "payload": 1, "delay": "1h", "key": "k"}"#
        #expect(try fixture.call("POST", "/v1/tasks", body).status == 201)
        let second = try fixture.call("POST", "/v1/tasks", body)
        #expect(second.status == 200)
        #expect(try second.json()["id"]?.string == "t1")
        let header = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "payload": 1, "delay": "1h"}"#,
            headers: ["Idempotency-Key: k"])
        #expect(header.status == 200)
        #expect(try header.json()["key"]?.string == "k")
        let other = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "payload": 2, "key": "k"}"#)
        #expect(other.status == 409)
        #expect(try other.json()["type"]?.string == "urn:carillon:problem:key-conflict")
        let both = try fixture.call(
            "POST", "/v1/tasks", body, headers: ["Idempotency-Key: other"])
        #expect(both.status == 422)
        #expect(try both.json()["errors"]?.elements.first?["pointer"]?.string == "/key")
    }

    @Test func aTaskThatHasEndedCanBeForgotten() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo", "delay": "1h"}"#)
        let path = "/v1/tasks/\(try #require(try reply.json()["id"]?.string))"
        let early = try fixture.call("DELETE", path + "?purge=true")
        #expect(early.status == 409 && early.text.contains("scheduled"), "\(early.text)")
        #expect(try fixture.call("DELETE", path + "?purge=perhaps").status == 422)
        // Without the word it is cancelled.
        let cancelled = try fixture.call("DELETE", path + "?purge=false")
        #expect(try cancelled.json()["state"]?.string == "cancelled")
        #expect(try fixture.call("DELETE", path).status == 409)
        #expect(
            try fixture.call(
                "DELETE", path + "?purge=true",
                headers: [
                    "X-Carillon-Namespace: shop"
                ]
            ).status == 404)
        let purged = try fixture.call("DELETE", path + "?purge=true")
        #expect(purged.status == 204 && purged.body.isEmpty)
        #expect(try fixture.call("GET", path).status == 404)
        #expect(try fixture.call("DELETE", path + "?purge=true").status == 404)
    }

    @Test func brokenSubmissionsAreRefusedWithTheirPlaces() throws {
        let fixture = try APIFixture()
        let notJSON = try fixture.call("POST", "/v1/tasks", #"{"handler": }"#)
        #expect(notJSON.status == 400)
        #expect(notJSON.header("content-type") == "application/problem+json")
        #expect(try notJSON.json()["detail"]?.string?.contains("byte 12") == true)
        let invalid = try fixture.call("POST", "/v1/tasks?tiemout=1s", #"{"webhook": []}"#)
        #expect(invalid.status == 422)
        #expect(
            try invalid.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == ["/handler", "/webhook", "?tiemout"])
        #expect(try fixture.call("POST", "/v1/tasks", "x", type: "text/plain").status == 415)
        let large = #"{"handler": "echo", "payload": ""# + String(repeating: "x", count: 1_200_000)
        #expect(try fixture.call("POST", "/v1/tasks", large + "\"}").status == 413)
        let foreign = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo"}"#, headers: ["origin: http://evil.example"])
        #expect(foreign.status == 403)
        #expect(fixture.gateway.replica.scheduler.counts.tasksByState.reduce(0, +) == 0)
    }

    @Test func aTaskWaitsForThoseItNames() throws {
        let fixture = try APIFixture()
        #expect(try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#).status == 201)
        let next = try fixture.call(
            "POST", "/v1/tasks",
            #"{"handler": "echo", "after": ["t1"], "onDependencyFailure": "run"}"#)
        #expect(next.status == 201)
        let task = try next.json()
        #expect(task["state"]?.string == "blocked" && task["after"]?.source == #"["t1"]"#)
        #expect(task["onDependencyFailure"]?.string == "run")
        try fixture.finish(
            "t1", .failed(.init(message: "no", kind: "error", isRetryable: false)))
        let started = try fixture.call("GET", "/v1/tasks/t2").json()
        #expect(started["state"]?.string == "running")
        let text = #"{"handler": "echo", "after": ["t1", "t99"]}"#
        let missing = try fixture.call("POST", "/v1/tasks", text)
        #expect(missing.status == 422)
        #expect(
            try missing.json()["errors"]?.elements.map { $0["pointer"]?.string } == ["/after/1"])
        let lines = try fixture.call(
            "POST", "/v1/tasks", text + "\n", type: "application/x-ndjson")
        let error = try lines.json()["items"]?.elements.first?["error"]
        #expect(error?["errors"]?.elements.first?["pointer"]?.string == "/after/1")
    }

    @Test func manyTasksAreTakenEachOnItsOwn() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "POST", "/v1/tasks",
            """
            [{"handler": "echo", "delay": "1h"}, {"handlr": "echo"}, 5,
             {"handler": "echo", "delay": "1h", "key": "k"},
             {"handler": "echo", "delay": "1h", "key": "k"},
             {"handler": "other", "delay": "1h", "key": "k"}]
            """)
        #expect(reply.status == 200)
        let items = try reply.json()["items"]?.elements ?? []
        #expect(items.map { $0["id"]?.string } == ["t1", nil, nil, "t2", "t2", nil])
        #expect(
            items.map { $0["error"]?["status"]?.integer } == [nil, 422, 422, nil, nil, 409])
        #expect(items[4]["existed"]?.bool == true)
        #expect(items[3]["existed"] == nil)
    }

    @Test func linesAreTasksToo() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "POST", "/v1/tasks",
            "{\"handler\": \"echo\", \"delay\": \"1h\"}\n\n{oops\r\n{\"handler\": \"echo\"}",
            type: "application/x-ndjson")
        let items = try reply.json()["items"]?.elements ?? []
        #expect(items.map { $0["id"]?.string } == ["t1", nil, "t2"])
        #expect(items[1]["error"]?["status"]?.integer == 400)
        let keyed = try fixture.call(
            "POST", "/v1/tasks", "{\"handler\": \"echo\"}", type: "application/x-ndjson",
            headers: ["Idempotency-Key: k"])
        #expect(keyed.status == 422)
    }

    @Test func tenThousandTasksTravelInFewEntries() throws {
        let fixture = try APIFixture(slots: 0)
        let line = #"{"handler": "echo", "payload": {"n": 1}, "delay": "1h"}"# + "\n"
        let before = fixture.persistedEntries
        let reply = try fixture.call(
            "POST", "/v1/tasks", String(repeating: line, count: APILimits.maxBulkTasks),
            type: "application/x-ndjson")
        let items = try reply.json()["items"]?.elements ?? []
        #expect(items.count == APILimits.maxBulkTasks)
        #expect(items.last?["id"]?.string == "t\(APILimits.maxBulkTasks)")
        #expect(
            fixture.persistedEntries - before
                <= APILimits.maxBulkTasks / APILimits.maxBulkTasksPerTurn)
        let more = try fixture.call(
            "POST", "/v1/tasks", String(repeating: line, count: APILimits.maxBulkTasks + 1),
            type: "application/x-ndjson")
        #expect(more.status == 413)
    }

    @Test func waitingEndsWithTheTask() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#)
        let early = try fixture.call("GET", "/v1/tasks/t1/wait?timeout=1ms")
        #expect(try early.json()["state"]?.string == "running")
        #expect(try fixture.call("GET", "/v1/tasks/t1/result").status == 409)
        let waiting = try fixture.begin("GET", "/v1/tasks/t1/wait?timeout=1m")
        try fixture.finish("t1", .succeeded(Array("[1.0,  2]".utf8)))
        let task = try fixture.reply(to: waiting).json()
        #expect(task["state"]?.string == "succeeded")
        #expect(task["result"]?.source == "[1.0,  2]")
        #expect(task["attempts"]?.elements.first?["outcome"]?.string == "succeeded")
        #expect(try fixture.call("GET", "/v1/tasks/t1/result").text == "[1.0,  2]")
        #expect(try fixture.call("GET", "/v1/tasks/t1/wait").status == 200)
        #expect(try fixture.call("GET", "/v1/tasks/t9/wait").status == 404)
    }

    @Test func tasksAreCancelledAndRunAgain() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo", "delay": "1h"}"#)
        #expect(try fixture.call("POST", "/v1/tasks/t1/retry").status == 409)
        let cancelled = try fixture.call("DELETE", "/v1/tasks/t1")
        #expect(cancelled.status == 200)
        #expect(try cancelled.json()["state"]?.string == "cancelled")
        let again = try fixture.call("DELETE", "/v1/tasks/t1")
        #expect(again.status == 409)
        #expect(try again.json()["detail"]?.string?.contains("cancelled already") == true)
        let retried = try fixture.call("POST", "/v1/tasks/t1/retry")
        #expect(retried.status == 200)
        #expect(try retried.json()["state"]?.string == "running")
        for path in ["/v1/tasks/t9", "/v1/tasks/x", "/v1/tasks/t01"] {
            #expect(try fixture.call("DELETE", path).status == 404)
        }
    }

    @Test func listsAreFilteredAndPaged() throws {
        let fixture = try APIFixture(slots: 0)
        for number in 1...5 {
            let queue = number % 2 == 0 ? "even" : "odd"
            _ = try fixture.call(
                "POST", "/v1/tasks",
                #"{"handler": "echo", "queue": "\#(queue)", "meta": {"n": "\#(number)"}}"#)
        }
        func ids(_ query: String) throws -> ([String?], String?) {
            let page = try fixture.call("GET", "/v1/tasks" + query).json()
            return (
                page["items"]?.elements.map { $0["id"]?.string } ?? [], page["next"]?.string
            )
        }
        #expect(try ids("").0 == ["t5", "t4", "t3", "t2", "t1"])
        #expect(try ids("").1 == nil)
        #expect(try ids("?queue=even").0 == ["t4", "t2"])
        #expect(try ids("?meta.n=3").0 == ["t3"])
        #expect(try ids("?state=dead,running").0 == [])
        #expect(try ids("?state=ready&queue=odd&stale=true").0 == ["t5", "t3", "t1"])
        #expect(try ids("?q=t4").0 == ["t4"])
        #expect(try ids("?since=2100-01-01T00:00:00Z").0 == [])
        var seen: [String?] = []
        var cursor: String? = ""
        while let text = cursor {
            let (page, next) = try ids("?limit=2" + (text.isEmpty ? "" : "&cursor=\(text)"))
            seen += page
            cursor = next
        }
        #expect(seen == ["t5", "t4", "t3", "t2", "t1"])
        #expect(try fixture.call("GET", "/v1/tasks?limit=0&cursor=x&foo=1").status == 422)
    }

    @Test func aPageWithLargePayloadsEndsEarly() throws {
        let fixture = try APIFixture(slots: 0)
        let text = String(repeating: "x", count: 1_000_000)
        for _ in 1...12 {
            let reply = try fixture.call(
                "POST", "/v1/tasks", #"{"handler": "echo", "payload": "\#(text)"}"#)
            #expect(reply.status == 201)
        }
        let page = try fixture.call("GET", "/v1/tasks").json()
        let first = page["items"]?.elements.count ?? 0
        #expect(first >= 8 && first < 12)
        let cursor = try #require(page["next"]?.string)
        let rest = try fixture.call("GET", "/v1/tasks?cursor=\(cursor)").json()
        #expect(rest["items"]?.elements.count == 12 - first)
        #expect(rest["next"]?.isNull == true)
    }

    @Test func deadTasksAreBroughtBack() throws {
        let fixture = try APIFixture()
        for handler in ["echo", "echo", "other"] {
            _ = try fixture.call(
                "POST", "/v1/tasks", #"{"handler": "\#(handler)", "retry": {"attempts": 1}}"#)
        }
        for id in ["t1", "t2", "t3"] {
            try fixture.finish(id, .failed(.init(message: "broken", kind: "error")))
        }
        let dead = try fixture.call("GET", "/v1/dead").json()
        #expect(dead["items"]?.elements.map { $0["id"]?.string } == ["t3", "t2", "t1"])
        #expect(dead["items"]?.elements[0]["error"]?["message"]?.string == "broken")
        #expect(try fixture.call("GET", "/v1/dead?state=running").status == 422)
        let some = try fixture.call("POST", "/v1/dead/retry?handler=other").json()
        #expect(some["retried"]?.integer == 1 && some["more"]?.bool == false)
        let one = try fixture.call("POST", "/v1/dead/retry?limit=1").json()
        #expect(one["retried"]?.integer == 1)
        #expect(one["more"]?.bool == true)
        let rest = try fixture.call("POST", "/v1/dead/retry").json()
        #expect(rest["retried"]?.integer == 1 && rest["more"]?.bool == false)
        #expect(try fixture.call("POST", "/v1/dead/retry").json()["retried"]?.integer == 0)
    }

    @Test func withoutALeaderRequestsAreRefusedInTime() throws {
        let fixture = try APIFixture(nodes: ["n1", "n2", "n3"])
        let submit = try fixture.call(
            "POST", "/v1/tasks?timeout=1ms", #"{"handler": "echo"}"#)
        #expect(submit.status == 503)
        #expect(submit.header("retry-after") == "1")
        #expect(try submit.json()["type"]?.string == "urn:carillon:problem:no-leader")
        let read = try fixture.call("GET", "/v1/tasks?timeout=1ms")
        #expect(read.status == 503)
        #expect(try fixture.call("GET", "/v1/tasks?stale=true").status == 200)
        #expect(try fixture.call("GET", "/v1/tasks/t1?stale=true").status == 404)
        #expect(try fixture.call("GET", "/readyz").status == 503)
        #expect(try fixture.call("GET", "/healthz").status == 200)
        #expect(try fixture.call("POST", "/v1/cluster/transfer?timeout=1ms").status == 503)
        let cluster = try fixture.call("GET", "/v1/cluster")
        #expect(cluster.status == 200)
        #expect(try cluster.json()["leader"]?.isNull == true)
        #expect(fixture.metrics.refusedNoLeader >= 2)
    }
}
