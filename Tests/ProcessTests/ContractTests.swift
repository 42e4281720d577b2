import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// Every row of the HTTP interface on a cluster of three, each request to another node than the one before.
    struct ContractTests {
        @Test func tasks() throws {
            let round = try ContractRound()
            let echo = #"{"handler": "echo", "payload": {"a": 1}, "meta": {"team": "x"}}"#
            let first = try round.submit(echo, key: "once")
            let again = try round.call("POST", "/v1/tasks", echo, key: "once")
            #expect(again["id"]?.string == first)
            try round.call("POST", "/v1/tasks", #"{"handler": "fail"}"#, status: 409, key: "once")
            try round.await("succeeded", first)
            #expect(try round.text("/v1/tasks/\(first)/result") == #"{"a": 1}"#)
            let many = try round.call(
                "POST", "/v1/tasks", #"[{"handler": "echo"}, {"handlr": "echo"}]"#)
            #expect(many["items"]?.elements.map { $0["id"] != nil } == [true, false])
            let lines = try round.call(
                "POST", "/v1/tasks", "{\"handler\": \"echo\"}\n{\"handler\": \"echo\"}\n",
                contentType: "application/x-ndjson")
            #expect(lines["items"]?.elements.count == 2)
            for filter in [
                "state=succeeded", "queue=default", "handler=echo", "meta.team=x", "q=once",
                "since=2020-01-01T00:00:00Z", "until=2100-01-01T00:00:00Z&limit=1000",
            ] {
                let page = try round.call("GET", "/v1/tasks?\(filter)")
                #expect(ContractRound.ids(page).contains(first), "\(filter)")
            }
            for filter in ["schedule=s", "worker=nobody", "tag=gpu", "state=dead"] {
                #expect(
                    ContractRound.ids(try round.call("GET", "/v1/tasks?\(filter)")).isEmpty,
                    "\(filter)")
            }
            var page = try round.call("GET", "/v1/tasks?limit=2")
            var seen = ContractRound.ids(page)
            while let cursor = page["next"]?.string {
                page = try round.call(
                    "GET", "/v1/tasks?limit=2&cursor=\(PercentEncoding.encode(cursor))")
                seen += ContractRound.ids(page)
            }
            #expect(seen.count == 4 && Set(seen).count == 4)
            let later = try round.submit(#"{"handler": "echo", "delay": "1h"}"#)
            #expect(try round.call("DELETE", "/v1/tasks/\(later)").state == "cancelled")
            try round.call("DELETE", "/v1/tasks/\(later)", status: 409)
            try round.call("POST", "/v1/tasks/\(later)/retry")
            try round.await("succeeded", later)
            let why = try round.call("GET", "/v1/tasks/\(later)/explain")
            #expect(why["constraints"]?.elements.first?["constraint"]?.string == "ended")
            try round.call("DELETE", "/v1/tasks/\(later)?purge=true", status: 204)
            try round.call("GET", "/v1/tasks/\(later)", status: 404)
            try round.call("GET", "/v1/tasks/t999999", status: 404)
        }

        @Test func `dead tasks`() throws {
            let round = try ContractRound()
            let failing = #"{"handler": "fail", "retry": {"attempts": 1}}"#
            let dead = try (0..<3).map { _ in try round.submit(failing) }
            for id in dead { try round.await("dead", id) }
            #expect(
                Set(ContractRound.ids(try round.call("GET", "/v1/dead?handler=fail"))) == Set(dead))
            let retried = try round.call("POST", "/v1/dead/retry?limit=2")
            #expect(retried["retried"]?.integer == 2)
            for id in dead { try round.await("dead", id) }
            #expect(try round.call("DELETE", "/v1/dead")["deleted"]?.integer == 3)
            try round.call("GET", "/v1/tasks/\(dead[0])", status: 404)
        }

        @Test func schedules() throws {
            let round = try ContractRound()
            let nightly = """
                {"cron": "0 30 9 * * MON-FRI", "zone": "Europe/Berlin", "overlap": "skip",
                 "catchUp": {"all": 5}, "jitter": "1s", "dst": {"gap": "skip"}, "task": {"handler": "echo"}}
                """
            try round.call("PUT", "/v1/schedules/nightly", nightly, status: 201)
            let put = try round.call("PUT", "/v1/schedules/nightly", nightly)
            #expect(put["next"]?.string != nil)
            #expect(
                ContractRound.ids(try round.call("GET", "/v1/schedules"), "name") == ["nightly"])
            let preview = try round.call("GET", "/v1/schedules/nightly/preview?count=3")
            #expect(preview["items"]?.elements.count == 3)
            let paused = try round.call("POST", "/v1/schedules/nightly/pause")
            #expect(paused["paused"]?.bool == true && paused["next"]?.isNull == true)
            try round.call("POST", "/v1/schedules/nightly/resume")
            let task = try round.call("POST", "/v1/schedules/nightly/trigger", status: 201)
            try round.await("succeeded", task.shown("id"))
            let past = try round.call("GET", "/v1/schedules/nightly/occurrences")
            #expect(past["items"]?.elements.first?["reason"]?.string == "trigger")
            #expect(
                ContractRound.ids(try round.call("GET", "/v1/tasks?schedule=nightly")) == [
                    task.shown("id")
                ])
            let often = #"{"every": "1s", "task": {"handler": "echo"}}"#
            try round.call("PUT", "/v1/schedules/often", often, status: 201)
            try eventually("it has run twice") {
                let counters = try round.call("GET", "/v1/schedules/often")["counters"]
                return (counters?["ran"]?.integer ?? 0) >= 2
            }
            try round.call("DELETE", "/v1/schedules/nightly", status: 204)
            try round.call("GET", "/v1/schedules/nightly", status: 404)
        }

        @Test func queues() throws {
            let round = try ContractRound()
            let settings =
                #"{"concurrency": 2, "rate": "100/s", "priority": 7, "maxPending": 1, "breaker": {"failures": 3}}"#
            let mail = try round.call("PUT", "/v1/queues/mail", settings)
            #expect(mail["breaker"]?["state"]?.string == "closed")
            #expect(try round.call("POST", "/v1/queues/mail/pause")["paused"]?.bool == true)
            let waiting = try round.submit(#"{"handler": "echo", "queue": "mail"}"#)
            try round.call(
                "POST", "/v1/tasks", #"{"handler": "echo", "queue": "mail"}"#, status: 429)
            #expect(try round.call("GET", "/v1/queues/mail")["pending"]?.integer == 1)
            #expect(ContractRound.ids(try round.call("GET", "/v1/queues"), "name").contains("mail"))
            try round.call("POST", "/v1/queues/mail/resume")
            try round.await("succeeded", waiting)
            #expect(try round.call("GET", "/v1/tasks/\(waiting)")["priority"]?.integer == 7)
        }

        @Test func workflows() throws {
            let round = try ContractRound()
            let graph = """
                {"chain": [{"handler": "echo", "payload": 4, "name": "a"},
                           {"group": [{"handler": "echo", "payload": "{{results.a}}"}, {"handler": "echo"}]}]}
                """
            let workflow = try round.call("POST", "/v1/tasks", graph, status: 201)
            let members = workflow["tasks"]?.elements.map { $0.shown("id") } ?? []
            try #require(members.count == 3)
            for id in members { try round.await("succeeded", id) }
            #expect(try round.text("/v1/tasks/\(members[1])/result") == "4")
            let ended = try round.call("GET", "/v1/workflows/\(workflow.shown("id"))")
            #expect(ended.state == "succeeded" && ended["progress"]?.integer == 100)
            try round.call("DELETE", "/v1/workflows/\(workflow.shown("id"))", status: 409)
            let refused = try round.call(
                "POST", "/v1/tasks", #"{"handler": "echo", "after": ["t9999"]}"#, status: 422)
            #expect(refused["errors"]?.elements.first?["pointer"]?.string == "/after/0")
        }

        @Test func `the cluster, and what it says of itself`() throws {
            let round = try ContractRound()
            let cluster = round.cluster
            // A node is ready before its worker is in the log.
            try eventually("the workers of all nodes are there") {
                let workers = try round.call("GET", "/v1/workers")
                return Set(ContractRound.ids(workers)) == Set(cluster.ids)
            }
            #expect(try round.call("GET", "/v1/workers/n1").state == "live")
            try round.call("GET", "/v1/workers/nobody", status: 404)
            let drained = try round.call("POST", "/v1/workers/n1/drain")
            #expect(drained.state == "draining")
            #expect(try round.call("POST", "/v1/workers/n1/undrain").state == "live")
            let view = try round.call("GET", "/v1/cluster")
            let leader = try #require(view["leader"]?.string)
            let other = try #require(cluster.ids.first { $0 != leader })
            let moved = try round.call("POST", "/v1/cluster/transfer", #"{"to": "\#(other)"}"#)
            #expect(moved["leader"]?.string == other)
            let events = try round.call("GET", "/v1/events?follow=false&type=worker")
            #expect(events["items"]?.elements.isEmpty == false)
            #expect(try round.text("/metrics").contains("# TYPE carillon_"))
            for _ in cluster.ids {
                try round.call("GET", "/healthz")
                try round.call("GET", "/readyz")
            }
        }
    }
}
