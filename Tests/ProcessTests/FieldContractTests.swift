import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// The fields of the HTTP interface, submitted through one node and read through another; and what it says when a
    /// majority is gone.
    struct FieldContractTests {
        private static let submitted = """
            {"handler": "echo", "payload": {"a": [1, 2.50]}, "delay": "1h", "queue": "mail", "priority": "high",
             "retry": {"attempts": 7, "backoff": "linear", "initial": "2s", "max": "1m", "jitter": false},
             "timeout": "30s", "expires": "10m", "tags": ["gpu"], "routingKey": "r",
             "delivery": "atMostOnce", "key": "k", "meta": {"team": "x"}, "webhook": "http://127.0.0.1:1/hook"}
            """

        private func names(_ object: JSONValue?) -> Set<String> {
            Set((object?.members ?? []).map(\.name))
        }

        @Test func `a task's fields`() throws {
            let round = try ContractRound()
            let id = try round.submit(Self.submitted)
            let again = try round.call("POST", "/v1/tasks", Self.submitted)
            #expect(again.shown("id") == id)
            for _ in 0..<3 {
                let task = try round.call("GET", "/v1/tasks/\(id)")
                #expect(
                    names(task).isSuperset(of: [
                        "id", "namespace", "state", "handler", "payload", "runAt", "queue",
                        "priority", "retry", "timeout", "expires", "after", "onDependencyFailure",
                        "tags", "routingKey", "delivery", "key", "meta", "webhook", "attempt",
                        "worker", "createdAt", "startedAt", "finishedAt", "result", "error",
                        "progress", "schedule", "attempts",
                    ]))
                #expect(task["payload"]?.source == #"{"a": [1, 2.50]}"#)
                #expect(task.state == "scheduled" && task.shown("queue") == "mail")
                #expect(task["priority"]?.integer == 8 && task.shown("key") == "k")
                #expect(task["retry"]?["attempts"]?.integer == 7)
                #expect(task["retry"]?.shown("backoff") == "linear")
                #expect(task.shown("timeout") == "30s" && task.shown("expires") == "10m")
                #expect(task.shown("delivery") == "atMostOnce")
                #expect(task.shown("onDependencyFailure") == "cancel")
                #expect(task.shown("routingKey") == "r" && task["meta"]?.shown("team") == "x")
                #expect(task["tags"]?.elements.map(\.string) == ["gpu"])
            }
            try round.call(
                "POST", "/v1/tasks", #"{"handler": "echo", "key": "k"}"#, status: 409)
        }

        @Test func `a task's times`() throws {
            let round = try ContractRound()
            let past = try round.submit(#"{"handler": "echo", "runAt": "2020-01-01T00:00:00Z"}"#)
            try round.await("succeeded", past)
            let slow = #""handler": "sleep", "payload": {"ms": 600000}"#
            let long = try round.submit(
                "{\(slow), \"timeout\": \"50ms\", \"retry\": {\"attempts\": 1}}")
            #expect(try round.await("dead", long)["error"]?.shown("kind") == "timeout")
            let overall = try round.submit("{\(slow), \"overallTimeout\": \"50ms\"}")
            let ended = try round.await("dead", overall)
            #expect(ended["error"]?.shown("kind") == "overallTimeout")
            let late = try round.submit(#"{"handler": "nobody", "expires": "50ms"}"#)
            try round.await("expired", late)
            let waits = try round.submit(#"{"handler": "echo", "delay": "1h"}"#)
            let still = try round.call("GET", "/v1/tasks/\(waits)/wait?timeout=50ms")
            #expect(still.state == "scheduled")
        }

        @Test func `what the cluster, its workers and its queues say of themselves`() throws {
            let round = try ContractRound()
            for _ in 0..<3 {
                let view = try round.call("GET", "/v1/cluster")
                #expect(
                    names(view).isSuperset(of: [
                        "cluster", "node", "leader", "term", "commit", "applied", "members",
                    ]))
                let members = view["members"]?.elements ?? []
                #expect(members.map { $0.shown("id") } == round.cluster.ids)
                for member in members {
                    #expect(
                        names(member).isSuperset(of: [
                            "id", "peer", "api", "role", "alive", "match", "lag",
                        ]))
                }
                let workers = try round.call("GET", "/v1/workers")["items"]?.elements ?? []
                #expect(
                    names(workers.first).isSuperset(of: [
                        "id", "state", "slots", "running", "handlers", "tags", "lastHeartbeat",
                    ]))
            }
            try round.call("PUT", "/v1/queues/mail", #"{"rate": "100/s"}"#)
            for _ in 0..<3 {
                let queue = try round.call("GET", "/v1/queues/mail")
                #expect(
                    names(queue).isSuperset(of: [
                        "name", "concurrency", "rate", "priority", "paused", "breaker",
                        "maxPending",
                        "pending", "running",
                    ]))
                #expect(queue.shown("rate") == "100/s")
            }
        }

        @Test func `without a majority it says so, and shows what it has`() throws {
            let round = try ContractRound()
            let id = try round.submit(#"{"handler": "echo"}"#)
            try round.await("succeeded", id)
            for _ in 0..<3 { try round.call("GET", "/v1/tasks/\(id)") }
            try round.cluster.kill("n1", "n2")
            let client = round.cluster.client("n3")
            #expect(try client.send("GET", "/healthz").status == 200)
            try eventually("it knows no leader") {
                try client.send("GET", "/readyz").status == 503
            }
            for (method, path) in [("POST", "/v1/tasks"), ("GET", "/v1/tasks")] {
                let body = method == "POST" ? #"{"handler": "echo"}"# : ""
                let refused = try client.send(method, path + "?timeout=100ms", body)
                #expect(refused.status == 503 && refused.retryAfterSeconds != nil)
                #expect(refused.header("content-type") == "application/problem+json")
                let problem = try JSONDocument(refused.body).root
                for field in ["type", "title", "detail"] {
                    #expect(problem[field]?.string?.isEmpty == false, "\(problem.source)")
                }
                #expect(problem["status"]?.integer == 503)
            }
            let stale = try client.json("GET", "/v1/tasks/\(id)?stale=true")
            #expect(stale.state == "succeeded")
            #expect(try client.json("GET", "/v1/cluster")["leader"]?.isNull == true)
        }
    }
}
