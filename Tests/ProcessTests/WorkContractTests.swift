import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// The rows of the HTTP interface about what runs and what is left of it, each request to another node than the one
    /// before.
    struct WorkContractTests {
        private static let handlers = #"""
            "handlers": {
                "talk": {"command": ["sh", "-c", "echo attempt $CARILLON_ATTEMPT >&2; test $CARILLON_ATTEMPT = 2 && printf 42"]},
                "long": {"command": ["sh", "-c", "echo $CARILLON_FENCE >&2; exec sleep 600"]},
                "large": {"command": ["sh", "-c", "printf '\"'; head -c 200000 /dev/zero | tr '\\0' x; printf '\"'"]}
            }
            """#

        @Test func `results and logs`() throws {
            let round = try ContractRound(sections: Self.handlers)
            let talk = try round.submit(#"{"handler": "talk", "retry": {"initial": "1ms"}}"#)
            let task = try round.await("succeeded", talk)
            #expect(task["result"]?.integer == 42 && task.outcomes == ["failed", "succeeded"])
            #expect(task["attempts"]?.elements.map { $0["logBytes"]?.integer } == [10, 10])
            let large = try round.submit(#"{"handler": "large"}"#)
            #expect(try round.await("succeeded", large)["storedResult"]?.memberCount == 3)
            let waiting = try round.submit(#"{"handler": "echo", "delay": "1h"}"#)
            // Each three times: each node once.
            for _ in 0..<3 { #expect(try round.text("/v1/tasks/\(talk)/result") == "42") }
            for _ in 0..<3 { #expect(try round.text("/v1/tasks/\(talk)/logs") == "attempt 2\n") }
            for _ in 0..<3 {
                let first = try round.text("/v1/tasks/\(talk)/logs?attempt=1")
                #expect(first == "attempt 1\n")
            }
            for _ in 0..<3 {
                let result = try round.text("/v1/tasks/\(large)/result")
                #expect(result.utf8.count == 200_002)
            }
            for _ in 0..<3 { try round.call("GET", "/v1/tasks/\(waiting)/result", status: 409) }
            for _ in 0..<3 { try round.call("GET", "/v1/tasks/\(waiting)/logs", status: 404) }
        }

        /// Whoever a handler has handed its fence, for whatever worker.
        @Test func `progress by the fence`() throws {
            let round = try ContractRound(sections: Self.handlers)
            let id = try round.submit(#"{"handler": "long"}"#)
            var fence = ""
            try eventually("it runs and says its fence") {
                let log = try round.next.send("GET", "/v1/tasks/\(id)/logs")
                fence = String(decoding: log.body, as: UTF8.self)
                return log.status == 200 && fence.hasSuffix("\n")
            }
            let number = try #require(Int64(fence.dropLast()))
            let path = "/v1/tasks/\(id)/attempts/1/progress"
            for step in 1...3 {
                try round.call(
                    "POST", path, #"{"fence": \#(number), "progress": \#(step), "note": "far"}"#,
                    status: 204)
                try eventually("step \(step) is seen") {
                    let task = try round.call("GET", "/v1/tasks/\(id)")
                    return task["progress"]?.integer == Int64(step)
                }
            }
            try round.call(
                "POST", path, #"{"fence": \#(number + 1), "progress": 9}"#, status: 409)
            try round.call("POST", path, #"{"fence": 0, "progress": 9}"#, status: 422)
            try round.call("POST", path, #"{"progress": 9}"#, status: 422)
            try round.call("DELETE", "/v1/tasks/\(id)")
            try round.call("POST", path, #"{"fence": \#(number), "progress": 9}"#, status: 409)
        }

        @Test func `bulk actions and their jobs`() throws {
            let round = try ContractRound()
            let waiting = try (0..<3).map { _ in
                try round.submit(#"{"handler": "echo", "delay": "1h"}"#)
            }
            let filter = #""filter": {"handler": "echo"}"#
            for (action, count, state) in [
                ("cancel", "cancelled", "cancelled"), ("retry", "retried", "succeeded"),
                ("delete", "deleted", ""),
            ] {
                let body = #"{"action": "\#(action)", \#(filter)}"#
                let job = try round.call("POST", "/v1/tasks/batch", body, key: action)
                #expect(job[count]?.integer == 3, "\(job.source)")
                let id = job.shown("id")
                let again = try round.call("POST", "/v1/tasks/batch", body, key: action)
                #expect(again.shown("id") == id)
                #expect(try round.call("GET", "/v1/jobs/\(id)?wait=1s").state == "done")
                try round.call("DELETE", "/v1/jobs/\(id)", status: 409)
                if state.isEmpty {
                    try round.call("GET", "/v1/tasks/\(waiting[0])", status: 404)
                } else {
                    for id in waiting { try round.await(state, id) }
                }
            }
            #expect(ContractRound.ids(try round.call("GET", "/v1/jobs")).count == 3)
            try round.call("GET", "/v1/jobs/b999", status: 404)
        }

        @Test func explanations() throws {
            let round = try ContractRound()
            try round.call("POST", "/v1/queues/held/pause")
            let queued = try round.submit(#"{"handler": "echo", "queue": "held"}"#)
            let later = try round.submit(#"{"handler": "echo", "delay": "1h"}"#)
            let blocked = try round.submit(#"{"handler": "echo", "after": ["\#(later)"]}"#)
            let nobody = try round.submit(#"{"handler": "nobody"}"#)
            let tagged = try round.submit(#"{"handler": "echo", "tags": ["gpu"]}"#)
            let running = try round.submit(#"{"handler": "sleep", "payload": {"ms": 600000}}"#)
            for (id, expected) in [
                (queued, "queuePaused"), (later, "notDue"), (blocked, "dependency"),
                (nobody, "noWorker"), (tagged, "noWorkerWithTags"), (running, "running"),
            ] {
                for _ in 0..<3 {
                    let why = try round.call("GET", "/v1/tasks/\(id)/explain")
                    let constraints = why["constraints"]?.elements.map { $0.shown("constraint") }
                    #expect(constraints == [expected], "\(why.source)")
                }
            }
            try round.call("GET", "/v1/tasks/t999999/explain", status: 404)
        }

        @Test func backfills() throws {
            let round = try ContractRound()
            let hourly =
                #"{"every": "1h", "task": {"handler": "echo", "payload": "{{occurrence}}"}}"#
            try round.call("PUT", "/v1/schedules/hourly", hourly, status: 201)
            let range = #"{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}"#
            let path = "/v1/schedules/hourly/backfill"
            let begun = try round.call("POST", path, range, status: 202)
            #expect(begun["backfill"]?["to"]?.string == "2020-01-02T00:00:00.000Z")
            var ended: JSONValue?
            try eventually("the backfill is done") {
                ended = try round.call("GET", "/v1/schedules/hourly")["backfill"]
                return ended?.state == "done"
            }
            #expect(ended?["ran"]?.integer == 25, "\(ended?.source ?? "")")
            try round.call("DELETE", path, status: 409)
            let tasks = try round.call("GET", "/v1/tasks?schedule=hourly&limit=100")
            let occurrences = tasks["items"]?.elements.map { $0.shown("schedule") } ?? []
            #expect(occurrences.contains("hourly@2020-01-01T23:00:00.000Z"))
            #expect(Set(occurrences).count == 25)
            for task in tasks["items"]?.elements ?? [] {
                let ended = try round.await("succeeded", task.shown("id"))
                #expect(ended["result"]?.string == ended["schedule"]?.string)
            }
            // Nothing runs it, so it goes on until it is told to end.
            try round.call("PUT", "/v1/queues/narrow", #"{"maxPending": 1}"#)
            let stuck =
                #"{"every": "1h", "task": {"handler": "nobody", "queue": "narrow"}}"#
            try round.call("PUT", "/v1/schedules/stuck", stuck, status: 201)
            try round.call("POST", "/v1/schedules/stuck/backfill", range, status: 202)
            try round.call("POST", "/v1/schedules/stuck/backfill", range, status: 409)
            let cancelled = try round.call("DELETE", "/v1/schedules/stuck/backfill")
            #expect(cancelled["backfill"]?.state == "cancelled", "\(cancelled.source)")
            try round.call(
                "POST", path, #"{"from": "2100-01-01T00:00:00Z"}"#, status: 422)
        }

        /// Section by section what a worker of one's own may ask.
        @Test func `workers in any language`() throws {
            let round = try ContractRound()
            let attached = try round.call(
                "POST", "/v1/workers",
                #"{"id": "w7", "handlers": ["resize"], "tags": ["gpu"], "slots": 4}"#, status: 201)
            let session = attached.shown("session")
            #expect(attached["heartbeat"]?.string?.hasSuffix("ms") == true)
            let worker = try #require(
                try round.call("GET", "/v1/workers")["items"]?.elements.first {
                    $0.shown("id") == "w7"
                })
            #expect(worker.state == "live" && worker["slots"]?.integer == 4)
            #expect(worker["handlers"]?.elements.map(\.string) == ["resize"])

            let body = #"{"handler": "resize", "payload": {"width": 80}, "tags": ["gpu"]}"#
            var ids: [String] = []
            for _ in 0..<4 { ids.append(try round.submit(body)) }
            var items: [JSONValue] = []
            try eventually("all four are handed out") {
                // What is under way names itself in the heartbeats; each node hands out what it has not yet.
                let running = items.map { name($0) }.joined(separator: ",")
                try round.call(
                    "POST", "/v1/workers/w7/heartbeat",
                    #"{"session": "\#(session)", "running": [\#(running)]}"#)
                let page = try round.call(
                    "GET", "/v1/workers/w7/assignments?session=\(session)&wait=1s")
                for item in page["items"]?.elements ?? []
                where !items.contains(where: { $0.shown("task") == item.shown("task") }) {
                    items.append(item)
                }
                return items.count == 4
            }
            #expect(Set(items.map { $0.shown("task") }) == Set(ids))
            #expect(items[0]["payload"]?["width"]?.integer == 80)
            try finish(items, session, round)
        }

        private func name(_ item: JSONValue) -> String {
            #"{"task": "\#(item.shown("task"))", "attempt": \#(item["attempt"]?.integer ?? 0)}"#
        }

        /// One of the four in each way.
        private func finish(
            _ items: [JSONValue], _ session: String, _ round: ContractRound
        ) throws {
            let paths = items.map { "/v1/tasks/\($0.shown("task"))/attempts/1" }
            let ids = items.map { $0.shown("task") }
            let named = #""session": "\#(session)""#
            try round.call(
                "POST", paths[0] + "/progress",
                "{\(named), \"progress\": 40, \"note\": \"half way\"}", status: 204)
            try eventually("the progress is seen") {
                try round.call("GET", "/v1/tasks/\(ids[0])")["progressNote"]?.string == "half way"
            }
            let good = "{\(named), \"outcome\": \"succeeded\", \"result\": [1]}"
            for _ in 0..<3 {
                let done = try round.call("POST", paths[0] + "/finish", good)
                #expect(done.state == "succeeded")
            }
            try round.call(
                "POST", paths[1] + "/finish",
                "{\(named), \"outcome\": \"failed\", \"error\": \"no\", \"retry\": false}")
            let dead = try round.await("dead", ids[1])
            #expect(dead["error"]?["message"]?.string == "no")
            try round.call("POST", paths[1] + "/finish", good, status: 409)
            try round.call("DELETE", "/v1/tasks/\(ids[2])")
            let beat = try round.call(
                "POST", "/v1/workers/w7/heartbeat",
                "{\(named), \"running\": [\(name(items[2])), \(name(items[3]))]}")
            #expect(beat["cancel"]?.elements.map { $0.shown("task") } == [ids[2]])
            let batch = try round.call(
                "POST", "/v1/workers/w7/finish",
                """
                {\(named), "items": [{"task": "\(ids[2])", "attempt": 1, "outcome": "succeeded"},
                                     {"task": "\(ids[3])", "attempt": 1, "outcome": "returned"}]}
                """)
            let answers = batch["items"]?.elements ?? []
            #expect(answers.count == 2 && answers[0]["error"] != nil && answers[1]["error"] == nil)
            try round.call(
                "POST", paths[3] + "/progress", "{\(named), \"progress\": 1}", status: 409)
            let again = try round.call(
                "GET", "/v1/workers/w7/assignments?session=\(session)&wait=20s")
            #expect(again["items"]?.elements.map { $0["attempt"]?.integer } == [2])
            try round.call("DELETE", "/v1/workers/w7?session=\(session)", status: 204)
            try round.call(
                "GET", "/v1/workers/w7/assignments?session=\(session)", status: 409)
            #expect(try round.call("GET", "/v1/tasks/\(ids[3])").state == "ready")
        }
    }
}
