import Testing

@testable import Node
@testable import Scheduler

@Suite struct RenderingTests {
    private func task() -> TaskView {
        var spec = TaskSpec(handler: "echo")
        spec.payload = Array(#"{"big": 123456789012345678901234567890,  "s":"\u00e9"}"#.utf8)
        spec.meta = [Label(name: "a\"b", value: "1")]
        return TaskView(
            id: TaskID(7), spec: spec, state: .ready, dueAt: 1_795_249_800_000, attempt: 0,
            worker: nil, createdAt: 1_795_249_800_000, startedAt: nil, finishedAt: nil, result: nil,
            error: nil, occurrence: nil, schedule: nil, workflow: nil, attempts: [])
    }

    private func object(_ body: (inout JSONWriter) -> Void) throws -> (JSONValue, String) {
        var writer = JSONWriter()
        body(&writer)
        return (try JSONDocument(writer.bytes).root, writer.text)
    }

    private static let taskFields = [
        "id", "namespace", "state", "handler", "payload", "queue", "priority", "retry", "timeout",
        "overallTimeout", "expires", "tags", "routingKey", "delivery", "webhook", "meta", "cache",
        "runAt", "key", "after",
        "onDependencyFailure", "attempt", "worker", "createdAt", "startedAt", "finishedAt",
        "result", "storedResult", "error", "progress", "progressNote", "cached", "cachedFrom",
        "schedule",
        "workflow", "template", "attempts",
    ]

    @Test func everyFieldOfATaskAlwaysStandsThere() throws {
        let (value, text) = try object { $0.task(task()) }
        #expect(value.members.map(\.name) == Self.taskFields)
        #expect(text.contains(#""payload":{"big": 123456789012345678901234567890,  "s":"\u00e9"}"#))
        #expect(value["id"]?.string == "t7")
        #expect(value["namespace"]?.string == "default")
        #expect(value["state"]?.string == "ready")
        #expect(value["runAt"]?.string == "2026-11-21T08:30:00.000Z")
        #expect(value["timeout"]?.string == "5m")
        #expect(
            value["retry"]?.source
                == #"{"attempts":3,"backoff":"exponential","initial":"1s","max":"5m","jitter":true,"kinds":null}"#
        )
        #expect(value["meta"]?["a\"b"]?.string == "1")
        for name in ["expires", "key", "worker", "startedAt", "result", "error", "schedule"] {
            #expect(value[name]?.isNull == true, "\(name)")
        }
    }

    @Test func whatBecameOfATaskIsTold() throws {
        var task = task()
        task.state = .dead
        task.attempt = 2
        task.worker = "n2"
        task.startedAt = 1_000
        task.finishedAt = 2_000
        task.spec.key = "k"
        task.spec.expiresMilliseconds = 90_000
        task.spec.delivery = .atMostOnce
        task.error = TaskView.AttemptError(message: "exit 1", kind: "exit", attempt: 2)
        task.occurrence = "daily@1970-01-01T00:00:01.000Z"
        task.schedule = "daily"
        task.attempts = [
            AttemptView(
                number: 1, worker: "n1", startedAt: 0, finishedAt: 500, outcome: "failed"),
            AttemptView(
                number: 2, worker: "n2", startedAt: 1_000, finishedAt: nil, outcome: "running"),
        ]
        task.logs = [AttemptLog(attempt: 1, fence: 4, bytes: 12, node: "n1")]
        task.stored = StoredResult(
            task: TaskID(7), attempt: 2, fence: 9,
            output: StoredOutput(
                bytes: 70_000, checksum: [0x0A] + [UInt8](repeating: 0xF0, count: 31), node: "n2"))
        let (value, _) = try object { $0.task(task) }
        #expect(value.members.map(\.name) == Self.taskFields)
        let checksum = "0a" + String(repeating: "f0", count: 31)
        #expect(
            value["storedResult"]?.source
                == "{\"bytes\":70000,\"sha256\":\"\(checksum)\",\"node\":\"n2\"}")
        #expect(value["error"]?.source == #"{"message":"exit 1","kind":"exit","attempt":2}"#)
        #expect(value["schedule"]?.string == "daily@1970-01-01T00:00:01.000Z")
        #expect(value["expires"]?.string == "1m30s")
        #expect(value["delivery"]?.string == "atMostOnce")
        #expect(
            value["attempts"]?.source
                == #"[{"attempt":1,"worker":"n1","startedAt":"1970-01-01T00:00:00.000Z","#
                + #""finishedAt":"1970-01-01T00:00:00.500Z","outcome":"failed","logBytes":12},"#
                + #"{"attempt":2,"worker":"n2","startedAt":"1970-01-01T00:00:01.000Z","#
                + #""finishedAt":null,"outcome":"running","logBytes":null}]"#)
    }

    @Test func resultsComeBackByteForByte() throws {
        var task = task()
        task.result = Array(#"[1.50,  "x"]"#.utf8)
        let (value, _) = try object { $0.task(task) }
        #expect(value["result"]?.source == #"[1.50,  "x"]"#)
    }

    private func schedule(_ timing: ScheduleSpec.Timing) -> ScheduleView {
        ScheduleView(
            name: "daily", revision: 3,
            spec: ScheduleSpec(timing: timing, zone: "UTC", task: TaskSpec(handler: "echo")),
            isPaused: false, createdAt: 0, next: 1_000, last: nil, lastTask: TaskID(5), ran: 4,
            skipped: 1, missed: 2, expired: 0)
    }

    @Test func schedulesSayWhenTheyRun() throws {
        let (cron, _) = try object { $0.schedule(schedule(.cron("0 9 * * *"))) }
        #expect(cron["cron"]?.string == "0 9 * * *")
        #expect(cron["zone"]?.string == "UTC")
        #expect(cron["next"]?.string == "1970-01-01T00:00:01.000Z")
        #expect(cron["last"]?.isNull == true)
        #expect(cron["lastTask"]?.string == "t5")
        #expect(
            cron["counters"]?.source
                == #"{"ran":4,"skipped":1,"missed":2,"expired":0,"backfilled":0}"#)
        #expect(cron["task"]?["handler"]?.string == "echo")
        #expect(cron["task"]?["runAt"] == nil)
        #expect(cron["warnings"] == nil)
        let (every, _) = try object {
            $0.schedule(schedule(.every(milliseconds: 90_000)), warnings: ["never"])
        }
        #expect(every["every"]?.string == "1m30s")
        #expect(every["cron"] == nil)
        #expect(every["warnings"]?.source == #"["never"]"#)
    }

    @Test func aPausedScheduleHasNoNextTime() throws {
        var paused = schedule(.cron("0 9 * * *"))
        paused.isPaused = true
        let (value, _) = try object { $0.schedule(paused) }
        #expect(value["paused"]?.bool == true)
        #expect(value["next"]?.isNull == true)
    }
}
