import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct BackfillProcessTests {
        /// Its queue takes few at a time, so it is under way when its leaders die.
        @Test func `a backfill goes on when leaders die, and makes up for each occurrence once`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            _ = try client.json("PUT", "/v1/queues/past", #"{"maxPending": 20}"#)
            let schedule = """
                {"every": "1h", "task": {"handler": "sleep", "payload": {"ms": 30}, "queue": "past"}}
                """
            _ = try client.json("PUT", "/v1/schedules/hourly", schedule)
            _ = try client.json(
                "POST", "/v1/schedules/hourly/backfill",
                #"{"from": "2020-01-01T00:00:00Z", "to": "2020-02-10T23:00:00Z"}"#)
            let total: Int64 = 41 * 24
            func backfill() -> JSONValue? {
                (try? client.json("GET", "/v1/schedules/hourly"))?["backfill"]
            }
            for _ in 0..<2 {
                let before = backfill()?["ran"]?.integer ?? 0
                try eventually("it gets on") {
                    let now = backfill()
                    return (now?["ran"]?.integer ?? 0) >= min(before + 40, total)
                }
                let leader = try cluster.leader()
                try cluster.kill(leader)
                try cluster.start(leader)
                try cluster.awaitReady([leader])
            }
            try eventually("it is done", withinSeconds: 120) { backfill()?.state == "done" }
            let ended = backfill()
            #expect(ended?["ran"]?.integer == total, "\(ended?.source ?? "")")
            try eventually("all have run") {
                try client.json("GET", "/v1/queues/past")["pending"]?.integer == 0
            }
            let tasks = try client.tasks("&schedule=hourly")
            #expect(tasks.count == Int(total))
            #expect(Set(tasks.map { $0.shown("schedule") }).count == Int(total))
        }
    }
}
