import Scheduler
import Synchronization
import Testing

@testable import Node

/// Attempts that the program around a worker runs by code of its own.
@Suite(.serialized) struct EmbeddedHandlerTests {
    /// What the code was given, in the order in which it came.
    private final class Given: Sendable {
        private let attempts = Mutex<[EmbeddedAttempt]>([])

        var all: [EmbeddedAttempt] { attempts.withLock { $0 } }

        func add(_ attempt: EmbeddedAttempt) { attempts.withLock { $0.append(attempt) } }
    }

    private let given = Given()
    private let bench: WorkerBench

    init() throws {
        bench = try WorkerBench(["run": .embedded(EmbeddedHandler { [given] in given.add($0) })])
    }

    private func start(timeoutMilliseconds: Int64 = 60_000) throws -> EmbeddedAttempt {
        bench.worker.start(
            bench.assignment(payload: "{\"a\": 1}", timeoutMilliseconds: timeoutMilliseconds))
        return try #require(given.all.last)
    }

    private func end(
        _ attempt: EmbeddedAttempt, _ body: (EmbeddedAttempt) -> Void
    ) -> AttemptResult? {
        body(attempt)
        bench.turn(until: { !bench.finishes.isEmpty })
        return bench.finishes.last?.result
    }

    @Test func itEndsOnceWithWhatTheCodeSays() throws {
        let attempt = try start()
        #expect(attempt.task == "t1" && attempt.attempt == 1 && attempt.fence == 901)
        #expect(String(decoding: attempt.payload, as: UTF8.self) == "{\"a\": 1}")
        attempt.report(percent: 400, note: "far")
        attempt.log("a line")
        let result = end(attempt) { $0.succeed(json: Array("[1]".utf8)) }
        #expect(result?.text == "[1]")
        #expect(bench.reports == [AttemptProgress(percent: 100, note: "far")])
        #expect(bench.logText == "a line\n")
        attempt.fail("late", kind: "error", isRetryable: true, retryAfterMilliseconds: nil)
        attempt.report(percent: 1, note: nil)
        let next = try start()
        next.giveBack()
        bench.turn(until: { bench.finishes.count > 1 })
        #expect(bench.finishes.map(\.result) == [.succeeded(Array("[1]".utf8)), .returned])
        #expect(bench.reports.count == 1)
    }

    @Test func aFailureKeepsItsWords() throws {
        let result = end(try start()) {
            $0.fail("no", kind: "payload", isRetryable: false, retryAfterMilliseconds: -5)
        }
        let failure = result?.failure
        #expect(failure?.message == "no" && failure?.kind == "payload")
        #expect(failure?.isRetryable == false && failure?.retryAfterMilliseconds == 0)
    }

    @Test func whatIsNoJSONIsNoResult() throws {
        let result = end(try start()) { $0.succeed(json: Array("{".utf8)) }
        #expect(result?.failure?.isRetryable == false)
    }

    @Test func aTimeOutIsToldWhenTheCodeHasEnded() throws {
        let attempt = try start(timeoutMilliseconds: 1)
        let stops = Given()
        attempt.onStop { stops.add(attempt) }
        bench.turn(until: { !stops.all.isEmpty })
        #expect(bench.finishes.isEmpty && bench.worker.runningCount == 1)
        // Whoever asks late is told at once.
        attempt.onStop { stops.add(attempt) }
        #expect(stops.all.count == 2)
        let result = end(attempt) { $0.succeed(json: Array("1".utf8)) }
        #expect(result?.failure?.kind == "timeout")
    }

    @Test func ofWhatWasTakenAwayNobodyHears() throws {
        let attempt = try start()
        let stops = Given()
        attempt.onStop { stops.add(attempt) }
        bench.worker.stop(task: TaskID(1), attempt: 1, reason: .revoked)
        #expect(stops.all.count == 1)
        attempt.succeed(json: Array("1".utf8))
        bench.turn(until: { bench.worker.runningCount == 0 })
        #expect(bench.finishes.isEmpty)
    }
}
