import Testing

@testable import Node
@testable import Scheduler

/// Answers of a node, held against the schemas of `/openapi.json`.
struct OpenAPIAnswerTests {
    private let fixture: APIFixture
    private let check: SchemaCheck

    init() throws {
        fixture = try APIFixture()
        check = SchemaCheck(try JSONDocument(OpenAPIDocument.bytes).root)
    }

    /// Sends a request and holds body and answer against the document. `path` is the document's.
    @discardableResult
    private func call(
        _ method: String, _ path: String, _ target: String, _ body: String? = nil,
        status: Int = 200
    ) throws -> JSONValue {
        let operation = try #require(check.operation(method, path), "\(method) \(path)")
        if let body {
            let schema = try #require(
                operation["requestBody"]?["content"]?["application/json"]?["schema"])
            let value = try JSONDocument(body).root
            #expect(check.problems(value, schema) == [], "\(method) \(target)")
        }
        let reply = try fixture.call(method, target, body)
        #expect(reply.status == status, "\(method) \(target): \(reply.text)")
        var answer = try #require(
            operation["responses"]?["\(status)"], "\(method) \(path): \(status)")
        if let reference = answer["$ref"]?.string {
            answer = try #require(check.target(of: reference))
        }
        guard let content = answer["content"] else {
            #expect(reply.body.isEmpty, "\(method) \(target)")
            return try JSONDocument("null").root
        }
        let type = reply.header("content-type")?.prefix { $0 != ";" } ?? ""
        let schema = try #require(content[String(type)]?["schema"], "\(method) \(target): \(type)")
        guard type.hasSuffix("json") else { return try JSONDocument("null").root }
        let value = try reply.json()
        #expect(check.problems(value, schema) == [], "\(method) \(target)")
        return value
    }

    @Test func `tasks`() throws {
        try call(
            "POST", "/v1/tasks", "/v1/tasks",
            #"""
            {"handler": "echo", "payload": [1], "delay": "1h", "queue": "mail", "priority": "high",
             "retry": {"attempts": 2, "kinds": ["exit"]}, "timeout": "1m", "overallTimeout": "2h",
             "expires": "1d", "tags": ["gpu"], "routingKey": "r", "delivery": "atMostOnce",
             "key": "k", "meta": {"a": "b"}, "webhook": "http://h.example/x", "cache": "1m"}
            """#, status: 201)
        try call("GET", "/v1/tasks/{task}", "/v1/tasks/t1")
        try call("GET", "/v1/tasks", "/v1/tasks?state=scheduled,ready&meta.a=b&limit=1")
        try call("GET", "/v1/tasks/{task}/explain", "/v1/tasks/t1/explain")
        try call("GET", "/v1/tasks/{task}/wait", "/v1/tasks/t1/wait?stale=true&timeout=0s")
        try call("GET", "/v1/tasks/{task}/result", "/v1/tasks/t1/result", status: 409)
        try call("GET", "/v1/tasks/{task}/logs", "/v1/tasks/t1/logs", status: 404)
        try call("POST", "/v1/tasks", "/v1/tasks", #"[{"handler": "echo"}, {"handler": "x"}]"#)
        try call("GET", "/v1/tasks/{task}", "/v1/tasks/t2")
        try call("DELETE", "/v1/tasks/{task}", "/v1/tasks/t1")
        try call("POST", "/v1/tasks/{task}/retry", "/v1/tasks/t1/retry")
        try call("POST", "/v1/tasks/{task}/retry", "/v1/tasks/t1/retry", status: 409)
        try call(
            "POST", "/v1/tasks", "/v1/tasks", #"{"handler": "echo", "delay": "x"}"#, status: 422)
        try call("GET", "/v1/tasks/{task}", "/v1/tasks/t99", status: 404)
        try fixture.finish("t2", .succeeded(Array(#"{"a": 1}"#.utf8)))
        try call("GET", "/v1/tasks/{task}/result", "/v1/tasks/t2/result")
        try call("GET", "/v1/tasks/{task}/explain", "/v1/tasks/t2/explain")
        try call("DELETE", "/v1/tasks/{task}", "/v1/tasks/t2?purge=true", status: 204)
    }

    @Test func `jobs and workflows`() throws {
        let workflow = try call(
            "POST", "/v1/tasks", "/v1/tasks",
            #"""
            {"chain": [{"handler": "echo", "name": "page"},
                       {"group": [{"handler": "echo"}, {"handler": "x"}]},
                       {"handler": "echo", "onDependencyFailure": "run"}]}
            """#, status: 201)
        let id = try #require(workflow["id"]?.string)
        try call("GET", "/v1/workflows/{workflow}", "/v1/workflows/\(id)")
        try call("DELETE", "/v1/workflows/{workflow}", "/v1/workflows/\(id)")
        let job = try call(
            "POST", "/v1/tasks/batch", "/v1/tasks/batch",
            #"{"action": "retry", "filter": {"state": "cancelled", "queue": "default"}}"#)
        let name = try #require(job["id"]?.string)
        try call("GET", "/v1/jobs/{job}", "/v1/jobs/\(name)?wait=0s")
        try call("GET", "/v1/jobs", "/v1/jobs")
        try call("DELETE", "/v1/jobs/{job}", "/v1/jobs/\(name)", status: 409)
        try call("POST", "/v1/dead/retry", "/v1/dead/retry?limit=3")
        try call("DELETE", "/v1/dead", "/v1/dead?queue=mail")
        try call("GET", "/v1/dead", "/v1/dead")
    }

    @Test func `schedules`() throws {
        let path = "/v1/schedules/{schedule}"
        try call(
            "PUT", path, "/v1/schedules/a",
            #"""
            {"cron": "0 9 * * *", "zone": "UTC", "task": {"handler": "echo", "queue": "mail"}, "overlap": "skip",
             "catchUp": {"all": 3}, "jitter": "5s", "until": "2099-01-01T00:00:00Z", "paused": false}
            """#, status: 201)
        try call(
            "PUT", path, "/v1/schedules/a",
            #"{"every": "1h", "phase": "5m", "task": {"handler": "echo"}, "catchUp": "none"}"#)
        try call(
            "PUT", path, "/v1/schedules/b",
            #"{"at": ["2001-01-01T00:00:00Z"], "task": {"handler": "echo"}}"#, status: 201)
        try call("GET", path, "/v1/schedules/a")
        try call("POST", path + "/trigger", "/v1/schedules/a/trigger", status: 201)
        try call("GET", path + "/occurrences", "/v1/schedules/a/occurrences")
        try call("GET", path + "/preview", "/v1/schedules/a/preview?count=3")
        try call(
            "POST", path + "/backfill", "/v1/schedules/a/backfill",
            #"{"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T03:00:00Z"}"#, status: 202)
        try call("POST", path + "/pause", "/v1/schedules/a/pause")
        try call("POST", path + "/resume", "/v1/schedules/a/resume")
        try call("GET", "/v1/schedules", "/v1/schedules")
        try call("DELETE", path, "/v1/schedules/a", status: 204)
        try call("DELETE", path, "/v1/schedules/a", status: 404)
    }

    @Test func `queues, namespaces and templates`() throws {
        try call(
            "PUT", "/v1/queues/{queue}", "/v1/queues/mail",
            #"""
            {"concurrency": 2, "rate": "100/s", "burst": 5, "priority": 7, "maxPending": 10,
             "breaker": {"ratio": 0.5, "minimum": 3, "window": "1m", "open": "10s", "probes": 2},
             "errorWebhook": "http://h.example/x",
             "limits": [{"key": "payload.customer", "concurrency": 1}], "paused": true}
            """#)
        try call("PUT", "/v1/queues/{queue}", "/v1/queues/bare", "{}")
        try call("GET", "/v1/queues/{queue}", "/v1/queues/mail")
        try call("POST", "/v1/queues/{queue}/resume", "/v1/queues/mail/resume")
        try call("POST", "/v1/queues/{queue}/pause", "/v1/queues/mail/pause")
        try call("GET", "/v1/queues", "/v1/queues?limit=1")
        let namespace = try call(
            "PUT", "/v1/namespaces/{namespace}", "/v1/namespaces/shop",
            #"{"quotas": {"pending": 5, "submitRate": "10/s", "submitBurst": 2, "running": 1}, "retention": {"dead": "7d", "maxDead": 9}}"#,
            status: 201)
        try call(
            "PUT", "/v1/namespaces/{namespace}", "/v1/namespaces/shop", namespace.source)
        try call("GET", "/v1/namespaces/{namespace}", "/v1/namespaces/shop")
        try call("GET", "/v1/namespaces", "/v1/namespaces")
        let template = try call(
            "PUT", "/v1/templates/{template}", "/v1/templates/t",
            #"{"task": {"handler": "echo", "payload": "{{params.x}}"}, "params": {"x": null}}"#,
            status: 201)
        try call("PUT", "/v1/templates/{template}", "/v1/templates/t", template.source)
        try call("GET", "/v1/templates", "/v1/templates")
        try call(
            "POST", "/v1/tasks", "/v1/tasks", #"{"template": "t", "params": {"x": 1}}"#, status: 201
        )
        try call("DELETE", "/v1/templates/{template}", "/v1/templates/t", status: 204)
        let inner = "/v1/namespaces/{namespace}"
        try call(
            "POST", inner + "/tasks", "/v1/namespaces/shop/tasks",
            #"{"handler": "echo", "queue": "q"}"#, status: 201)
        try call("GET", inner + "/queues", "/v1/namespaces/shop/queues")
        try call("DELETE", inner, "/v1/namespaces/shop", status: 409)
    }

    @Test func `workers`() throws {
        let worker = "/v1/workers/{worker}"
        let session = try call(
            "POST", "/v1/workers", "/v1/workers",
            #"{"id": "w7", "handlers": ["resize"], "tags": ["gpu"], "slots": 2}"#, status: 201)
        let name = try #require(session["session"]?.string)
        try call("GET", "/v1/workers", "/v1/workers")
        try call("GET", worker, "/v1/workers/w7")
        try call("POST", worker + "/drain", "/v1/workers/w7/drain")
        try call("POST", worker + "/undrain", "/v1/workers/w7/undrain")
        for _ in 0..<2 {
            _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "resize"}"#)
        }
        let given = try call(
            "GET", worker + "/assignments", "/v1/workers/w7/assignments?session=\(name)&wait=1s")
        #expect(given["items"]?.elements.count == 2)
        try call(
            "POST", worker + "/heartbeat", "/v1/workers/w7/heartbeat",
            #"{"session": "\#(name)", "running": [{"task": "t1", "attempt": 1}, {"task": "t9", "attempt": 1}]}"#
        )
        let attempt = "/v1/tasks/{task}/attempts/{attempt}"
        try call(
            "POST", attempt + "/progress", "/v1/tasks/t1/attempts/1/progress",
            #"{"session": "\#(name)", "progress": 40, "note": "half way"}"#, status: 204)
        try call(
            "POST", attempt + "/finish", "/v1/tasks/t1/attempts/1/finish",
            #"{"session": "\#(name)", "outcome": "succeeded", "result": {"w": 1}, "log": "x"}"#)
        try call(
            "POST", worker + "/finish", "/v1/workers/w7/finish",
            #"""
            {"session": "\#(name)", "items": [{"task": "t2", "attempt": 1, "outcome": "failed",
             "error": "e", "kind": "k", "retry": false, "retryAfter": "1s"}, {"task": "t9", "attempt": 1, "outcome": "returned"}]}
            """#)
        try call("GET", "/v1/tasks/{task}", "/v1/tasks/t1")
        try call("GET", "/v1/tasks/{task}", "/v1/tasks/t2")
        try call("DELETE", worker, "/v1/workers/w7?session=\(name)", status: 204)
    }

    @Test func `the cluster and the node`() throws {
        try call("GET", "/v1/cluster", "/v1/cluster")
        try call("POST", "/v1/cluster/transfer", "/v1/cluster/transfer", #"{"to": "n1"}"#)
        try call("POST", "/v1/cluster/transfer", "/v1/cluster/transfer", status: 409)
        try call("DELETE", "/v1/cluster/members/{member}", "/v1/cluster/members/n1", status: 409)
        try call(
            "POST", "/v1/cluster/members", "/v1/cluster/members?timeout=10ms",
            #"{"id": "n9", "peer": "127.0.0.1:1"}"#, status: 503)
        try call("GET", "/v1/cluster/backup", "/v1/cluster/backup?index=1&term=1", status: 410)
        try call("DELETE", "/v1/cluster/backup", "/v1/cluster/backup?index=1&term=1", status: 204)
        for path in [
            "/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/dashboard.css",
            "/dashboard.js",
        ] {
            try call("GET", path, path)
        }
    }

    @Test func `events`() throws {
        let fixture = try APIFixture(feedRecords: 100)
        for (method, path, body) in [
            ("POST", "/v1/tasks", #"{"handler": "echo"}"#),
            ("PUT", "/v1/schedules/a", #"{"cron": "@daily", "task": {"handler": "echo"}}"#),
            ("POST", "/v1/schedules/a/trigger", nil), ("POST", "/v1/queues/mail/pause", nil),
            ("POST", "/v1/workers/n1/drain", nil),
        ] { _ = try fixture.call(method, path, body) }
        let reply = try fixture.call("GET", "/v1/events?follow=false")
        let schema = try #require(
            check.operation("GET", "/v1/events")?["responses"]?["200"]?["content"]?[
                "application/json"]?["schema"])
        let events = try reply.json()
        #expect((events["items"]?.elements.count ?? 0) >= 4)
        #expect(check.problems(events, schema) == [])
    }

    /// A field that is read or written and stands in no schema would not be missed above if nobody sends it.
    @Test func `a task's fields are those that are read and written`() throws {
        func fields(_ schema: String) -> [String] {
            guard
                case .object(let fields) = OpenAPISchemas.all.first(where: { $0.name == schema })?
                    .schema.shape
            else { return [] }
            return fields.map(\.name).sorted()
        }
        var task = JSONReader(try JSONDocument("{}").root)
        _ = TaskSpecReader.read(&task, as: .submission)
        #expect(fields("TaskSubmission") == (Set(task.known).union(["params"])).sorted())
        var queue = JSONReader(try JSONDocument("{}").root)
        _ = QueueSpecReader.read(&queue)
        #expect(fields("QueueSettings") == Set(queue.known).sorted())
        var zones = fixture.context.zones
        var schedule = JSONReader(try JSONDocument("{}").root)
        _ = ScheduleSpecReader.read(&schedule, name: "a", zones: &zones)
        // What is returned is passed over when it is put again.
        let put = Set(schedule.known).subtracting(ScheduleSpecReader.returnedFields)
        #expect(fields("ScheduleSubmission") == put.sorted())
        let reply = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#).json()
        #expect(fields("Task") == reply.members.map(\.name).sorted())
        let shown = try fixture.call("PUT", "/v1/queues/q", "{}").json()
        #expect(fields("Queue") == shown.members.map(\.name).sorted())
    }
}
