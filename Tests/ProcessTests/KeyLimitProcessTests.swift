import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct KeyLimitProcessTests {
        @Test func `of each customer one runs at a time, and no other waits for it`() throws {
            let round = try ContractRound()
            try round.call(
                "PUT", "/v1/queues/work",
                #"{"limits": [{"key": "meta.customer", "concurrency": 1}]}"#)
            let long = #""handler": "sleep", "payload": {"ms": 600000}, "queue": "work""#
            let first = try round.submit("{\(long), \"meta\": {\"customer\": \"a\"}}")
            let second = try round.submit(
                #"{"handler": "echo", "queue": "work", "meta": {"customer": "a"}}"#)
            let other = try round.submit(
                #"{"handler": "echo", "queue": "work", "meta": {"customer": "b"}}"#)
            try round.await("succeeded", other)
            for _ in 0..<3 {
                let why = try round.call("GET", "/v1/tasks/\(second)/explain")
                let constraints = why["constraints"]?.elements.map { $0.shown("constraint") }
                #expect(constraints == ["keyLimit"], "\(why.source)")
                #expect(try round.call("GET", "/v1/queues/work")["held"]?.integer == 1)
            }
            try round.call("DELETE", "/v1/tasks/\(first)")
            try round.await("succeeded", second)
        }

        @Test func `no two tasks of a customer run at once while leaders die`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            _ = try client.json(
                "PUT", "/v1/queues/work",
                #"{"limits": [{"key": "meta.customer", "concurrency": 1}]}"#)
            var ids: [String] = []
            for number in 0..<60 {
                let body = """
                    {"handler": "sleep", "queue": "work", "payload": {"ms": 100}, "meta": {"customer": "c\(number % 4)"}}
                    """
                ids.append(try client.submitSurely(body, key: "k\(number)"))
            }
            let leader = try cluster.leader()
            try cluster.kill(leader)
            let ended = try client.awaitEnd(of: ids)
            #expect(ended.allSatisfy { $0.state == "succeeded" })
            for customer in 0..<4 {
                let tasks = ended.filter { $0["meta"]?.shown("customer") == "c\(customer)" }
                #expect(tasks.count == 15)
                // Texts of one length and zone are in the order of the times they tell.
                let runs = tasks.flatMap { $0["attempts"]?.elements ?? [] }
                    .map { (begin: $0.shown("startedAt"), end: $0.shown("finishedAt")) }
                    .sorted { $0.begin < $1.begin }
                for (run, following) in zip(runs, runs.dropFirst()) {
                    #expect(run.end <= following.begin, "\(run) and \(following)")
                }
            }
        }
    }
}
