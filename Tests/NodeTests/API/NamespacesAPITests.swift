import Scheduler
import Testing

@testable import Node

@Suite struct NamespacesAPITests {
    private static let header = "X-Carillon-Namespace: shop"
    private static let shop = "/v1/namespaces/shop"

    private func id(_ reply: APIFixture.Reply) throws -> String {
        #expect(reply.status == 201, "\(reply.text)")
        return try #require(try reply.json()["id"]?.string)
    }

    private func names(_ reply: APIFixture.Reply, _ field: String = "name") throws -> [String?] {
        try reply.json()["items"]?.elements.map { $0[field]?.string } ?? []
    }

    @Test func `namespaces are put, listed and deleted`() throws {
        let fixture = try APIFixture()
        let put = try fixture.call(
            "PUT", Self.shop,
            #"{"quotas": {"pending": 10, "submitRate": "100/s", "running": 2}, "#
                + #""retention": {"succeeded": "1h", "maxDead": 9}}"#)
        #expect(put.status == 201, "\(put.text)")
        let shown = try fixture.call("GET", Self.shop).json()
        #expect(shown["quotas"]?["pending"]?.integer == 10)
        #expect(shown["quotas"]?["submitRate"]?.string == "100/s")
        #expect(shown["quotas"]?["submitBurst"]?.integer == 10)
        #expect(shown["retention"]?["succeeded"]?.string == "1h")
        #expect(shown["retention"]?["maxDead"]?.integer == 9)
        #expect(shown["retention"]?["dead"]?.isNull == true)
        #expect(shown["pending"]?.integer == 0 && shown["running"]?.integer == 0)
        // What is returned can be put again.
        #expect(try fixture.call("PUT", Self.shop, shown.source).status == 200)
        #expect(try names(fixture.call("GET", "/v1/namespaces")) == ["default", "shop"])
        #expect(try fixture.call("DELETE", Self.shop).status == 204)
        #expect(try fixture.call("DELETE", Self.shop).status == 404)
        #expect(try fixture.call("DELETE", "/v1/namespaces/default").status == 409)
        for body in [
            #"{"quotas": {"pending": -1}}"#, #"{"quotas": {"submitRate": "x"}}"#,
            #"{"quotas": {"submitBurst": 1}}"#, #"{"retention": {"dead": "x"}}"#, #"{"quota": {}}"#,
        ] {
            #expect(try fixture.call("PUT", Self.shop, body).status == 422)
        }
        for path in ["/v1/namespaces/A", "/v1/namespaces/a:b/tasks", "/v1/namespaces/-x"] {
            #expect(try fixture.call("GET", path).status == 422)
        }
        #expect(
            try fixture.call("GET", "/v1/tasks", headers: ["X-Carillon-Namespace: a b"]).status
                == 422)
        #expect(try fixture.call("GET", Self.shop + "/workers").status == 404)
    }

    @Test func `path and header mean the same`() throws {
        let fixture = try APIFixture()
        let body = #"{"handler": "none", "queue": "mail"}"#
        let first = try id(fixture.call("POST", Self.shop + "/tasks", body))
        let second = try id(fixture.call("POST", "/v1/tasks", body, headers: [Self.header]))
        let task = try fixture.call("GET", "/v1/tasks/\(second)", headers: [Self.header]).json()
        #expect(task["namespace"]?.string == "shop" && task["queue"]?.string == "mail")
        #expect(
            try names(fixture.call("GET", Self.shop + "/tasks?queue=mail"), "id")
                == [second, first])
        #expect(try names(fixture.call("GET", "/v1/tasks"), "id") == [])
        #expect(try names(fixture.call("GET", Self.shop + "/queues")) == ["mail"])
        #expect(try names(fixture.call("GET", "/v1/queues")) == [])
        #expect(
            try fixture.call("GET", Self.shop + "/queues/mail").json()["pending"]?.integer == 2)
        #expect(try fixture.call("GET", "/v1/queues/mail").status == 404)
        // The path counts.
        let third = try fixture.call(
            "POST", "/v1/namespaces/default/tasks", body, headers: [Self.header])
        #expect(try third.json()["namespace"]?.string == "default")
    }

    @Test func `what belongs to another namespace is not there`() throws {
        let fixture = try APIFixture()
        let own = try id(
            fixture.call("POST", Self.shop + "/tasks", #"{"handler": "none", "delay": "1h"}"#))
        for (method, path) in [
            ("GET", ""), ("DELETE", ""), ("POST", "/retry"), ("GET", "/wait?timeout=5s"),
            ("GET", "/result"), ("GET", "/logs"), ("GET", "/explain"),
        ] {
            #expect(try fixture.call(method, "/v1/tasks/\(own)\(path)").status == 404)
        }
        #expect(try fixture.call("GET", "\(Self.shop)/tasks/\(own)").status == 200)
        let after = try fixture.call(
            "POST", "/v1/tasks", "{\"handler\": \"echo\", \"after\": [\"\(own)\"]}")
        #expect(after.status == 422 && after.text.contains("/after/0"))
        let flow = try fixture.call(
            "POST", Self.shop + "/tasks",
            #"{"chain": [{"handler": "none"}, {"handler": "none"}]}"#)
        let workflow = try id(flow)
        #expect(try fixture.call("GET", "/v1/workflows/\(workflow)").status == 404)
        #expect(try fixture.call("DELETE", "/v1/workflows/\(workflow)").status == 404)
        #expect(try fixture.call("GET", "\(Self.shop)/workflows/\(workflow)").status == 200)
        #expect(try fixture.call("DELETE", "\(Self.shop)/workflows/\(workflow)").status == 200)
        // Bulk actions as well.
        let batch = try fixture.call(
            "POST", "/v1/tasks/batch", #"{"action": "cancel", "filter": {}}"#)
        #expect(try batch.json()["cancelled"]?.integer == 0)
        let job = try fixture.call(
            "POST", Self.shop + "/tasks/batch",
            #"{"action": "cancel", "filter": {"queue": "other"}, "key": "k"}"#
        ).json()
        let path = "/jobs/\(try #require(job["id"]?.string))"
        let begun = try fixture.call(
            "POST", Self.shop + "/tasks/batch?wait=0s",
            #"{"action": "cancel", "filter": {"queue": "none"}}"#)
        #expect(begun.status == 200 || begun.header("location")?.hasPrefix(Self.shop) == true)
        #expect(job["filter"]?["queue"]?.string == "other")
        #expect(try fixture.call("GET", Self.shop + path).status == 200)
        #expect(try names(fixture.call("GET", Self.shop + "/jobs"), "id").count == 2)
        #expect(try names(fixture.call("GET", "/v1/jobs"), "id").count == 1)
        #expect(try fixture.call("GET", "/v1" + path).status == 404)
        #expect(try fixture.call("DELETE", "/v1" + path).status == 404)
        #expect(try fixture.call("DELETE", Self.shop + path).status == 409)
        let dead = try fixture.call("DELETE", "/v1/dead", headers: [Self.header])
        #expect(dead.status == 200, "\(dead.text)")
        let filter = try #require(try dead.json()["filter"])
        #expect(filter["state"] != nil && filter["queue"] == nil, "\(filter.source)")
        #expect(try fixture.call("DELETE", "\(Self.shop)/tasks/\(own)").status == 200)
    }

    @Test func `a name with a colon leads into no other namespace`() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", Self.shop + "/templates/t", #"{"task": {"handler": "none"}}"#)
        _ = try fixture.call(
            "PUT", Self.shop + "/schedules/s", #"{"every": "1h", "task": {"handler": "none"}}"#)
        let task = try id(
            fixture.call("POST", Self.shop + "/tasks", #"{"handler": "none", "queue": "q"}"#))
        for (method, path) in [
            ("GET", "templates/shop:t"), ("DELETE", "templates/shop:t"), ("GET", "queues/shop:q"),
            ("GET", "schedules/shop:s"), ("DELETE", "schedules/shop:s"),
            ("POST", "schedules/shop:s/pause"), ("POST", "schedules/shop:s/resume"),
            ("POST", "schedules/shop:s/trigger"), ("GET", "schedules/shop:s/preview"),
            ("GET", "schedules/shop:s/occurrences"), ("DELETE", "schedules/shop:s/backfill"),
        ] {
            let reply = try fixture.call(method, "/v1/" + path)
            #expect(reply.status == 404 && reply.text.contains("not-found"), "\(method) \(path)")
        }
        let backfill = try fixture.call(
            "POST", "/v1/schedules/shop:s/backfill", #"{"from": "2026-01-01T00:00:00Z"}"#)
        #expect(backfill.status == 404)
        for path in ["templates/shop:t", "schedules/shop:s", "queues/shop:q"] {
            #expect(try fixture.call("PUT", "/v1/" + path, "{}").status == 422)
        }
        #expect(try fixture.call("POST", "/v1/queues/shop:q/pause").status == 422)
        for path in ["templates/t", "schedules/s"] {
            #expect(try fixture.call("GET", "\(Self.shop)/\(path)").status == 200)
        }
        // Filters find nothing there either.
        for filter in ["queue=shop:q", "schedule=shop:s"] {
            #expect(try names(fixture.call("GET", "/v1/tasks?" + filter), "id") == [])
        }
        let batch = try fixture.call(
            "POST", "/v1/tasks/batch", #"{"action": "cancel", "filter": {"queue": "shop:q"}}"#)
        #expect(try batch.json()["cancelled"]?.integer == 0)
        let kept = try fixture.call("GET", "\(Self.shop)/tasks/\(task)").json()
        #expect(kept["state"]?.string == "ready")
    }

    @Test func `schedules and templates live in namespaces`() throws {
        let fixture = try APIFixture()
        let schedule = #"{"every": "1h", "task": {"template": "t", "queue": "q"}}"#
        _ = try fixture.call(
            "PUT", Self.shop + "/templates/t",
            #"{"task": {"handler": "echo", "payload": "{{occurrence}}"}}"#)
        let outside = try fixture.call("PUT", "/v1/schedules/s", schedule)
        #expect(outside.status == 422 && outside.text.contains("/task/template"))
        let put = try fixture.call("PUT", Self.shop + "/schedules/s", schedule)
        #expect(put.status == 201, "\(put.text)")
        #expect(try put.json()["name"]?.string == "s")
        #expect(try names(fixture.call("GET", "/v1/schedules")) == [])
        #expect(try names(fixture.call("GET", "/v1/templates")) == [])
        #expect(try names(fixture.call("GET", Self.shop + "/schedules")) == ["s"])
        #expect(try names(fixture.call("GET", Self.shop + "/templates")) == ["t"])
        for action in ["pause", "resume"] {
            let path = "/schedules/s/\(action)"
            #expect(try fixture.call("POST", Self.shop + path).status == 200)
            #expect(try fixture.call("POST", "/v1" + path).status == 404)
        }
        #expect(try fixture.call("GET", Self.shop + "/schedules/s/preview").status == 200)
        #expect(try fixture.call("GET", Self.shop + "/schedules/s/occurrences").status == 200)
        let task = try fixture.call("POST", Self.shop + "/schedules/s/trigger").json()
        #expect(task["schedule"]?.string?.hasPrefix("s@") == true)
        #expect(task["payload"]?.string == task["schedule"]?.string)
        #expect(task["namespace"]?.string == "shop")
        let found = try fixture.call("GET", Self.shop + "/tasks?schedule=s")
        #expect(try names(found, "namespace") == ["shop"])
        let backfill = #"{"from": "2020-01-01T00:00:00Z", "overlap": "buffer"}"#
        let filled = try fixture.call("POST", Self.shop + "/schedules/s/backfill", backfill)
        #expect(filled.status == 202, "\(filled.text)")
        #expect(try filled.json()["name"]?.string == "s")
        #expect(try fixture.call("POST", "/v1/schedules/s/backfill", backfill).status == 404)
        let stop = try fixture.call("DELETE", Self.shop + "/schedules/s/backfill")
        #expect(stop.status == 200, "\(stop.text)")
        #expect(try fixture.call("DELETE", Self.shop + "/schedules/s").status == 204)
    }

    @Test func `names hold no colon of their own`() throws {
        let fixture = try APIFixture()
        for (path, body) in [
            ("/v1/queues/shop:q", "{}"), ("/v1/templates/shop:t", #"{"task": {}}"#),
            ("/v1/schedules/shop:s", #"{"every": "1h", "task": {"handler": "echo"}}"#),
        ] {
            #expect(try fixture.call("PUT", path, body).status == 422)
        }
        let task = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "queue": "shop:q"}"#)
        #expect(task.status == 422 && task.text.contains("/queue"))
        let long = String(repeating: "x", count: 255)
        let body = "{\"handler\": \"echo\", \"queue\": \"\(long)\"}"
        #expect(try fixture.call("POST", "/v1/tasks", body).status == 201)
        #expect(try fixture.call("POST", Self.shop + "/tasks", body).status == 422)
    }

    @Test func `what goes beyond a quota is told`() throws {
        let fixture = try APIFixture()
        let task = #"{"handler": "none"}"#
        _ = try fixture.call("PUT", Self.shop, #"{"quotas": {"pending": 1}}"#)
        #expect(try fixture.call("POST", Self.shop + "/tasks", task).status == 201)
        let full = try fixture.call("POST", Self.shop + "/tasks", task)
        #expect(full.status == 429 && full.header("retry-after") == "1")
        #expect(full.text.contains("pending"))
        #expect(try full.json()["type"]?.string == "urn:carillon:problem:quota")
        _ = try fixture.call("PUT", Self.shop, #"{"quotas": {"submitRate": "1/h"}}"#)
        #expect(try fixture.call("POST", Self.shop + "/tasks", task).status == 201)
        let fast = try fixture.call("POST", Self.shop + "/tasks", task)
        #expect(fast.status == 429 && fast.text.contains("submitRate"))
        // The one token was just taken, and the next one comes in an hour.
        let seconds = try #require(fast.header("retry-after").flatMap { Int($0) })
        #expect((2...3_600).contains(seconds))
        let items = try fixture.call("POST", Self.shop + "/tasks", "[\(task)]").json()["items"]
        let wait = try #require(items?.elements.first?["error"]?["retryAfter"]?.string)
        #expect(try (2_000...3_600_000).contains(DurationText.parse(wait)))
        let flow = try fixture.call(
            "POST", Self.shop + "/tasks", "{\"chain\": [\(task), \(task)]}")
        #expect(flow.status == 413)
        #expect(try fixture.call("POST", "/v1/tasks", task).status == 201)
    }

    @Test func `events of other namespaces are not told`() throws {
        let fixture = try APIFixture(feedRecords: 100)
        _ = try fixture.call("POST", Self.shop + "/tasks", #"{"handler": "none"}"#)
        _ = try fixture.call("POST", "/v1/queues/q/pause")
        let own = try fixture.call("GET", Self.shop + "/events?follow=false&type=task,queue")
        #expect(try names(own, "namespace") == ["shop"])
        let other = try fixture.call("GET", "/v1/events?follow=false&type=task,queue")
        #expect(try names(other, "queue") == ["q"])
    }
}
