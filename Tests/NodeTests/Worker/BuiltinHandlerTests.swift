import Scheduler
import Testing

@testable import Node

@Suite struct BuiltinHandlerTests {
    @Test func echoReturnsItsPayloadByteForByte() throws {
        let bench = try WorkerBench()
        let payload = #"{ "n":12345678901234567890, "x":1e400,"s":"\ud800 \u00e9" }"#
        #expect(bench.run(bench.assignment("echo", payload: payload))?.text == payload)
    }

    @Test func echoOfMoreThanAResultMayHaveFails() throws {
        let bench = try WorkerBench()
        let payload = "\"" + String(repeating: "x", count: WorkerLimits.maxResultBytes) + "\""
        let failure = bench.run(bench.assignment("echo", payload: payload))?.failure
        #expect(failure?.kind == "resultTooLarge")
        #expect(failure?.isRetryable == false)
    }

    @Test func sleepTakesItsTime() throws {
        let bench = try WorkerBench()
        let start = SystemClock.monotonicMilliseconds()
        // Whatever else is there, such as what the limits of a queue go by.
        let payload = "{\"ms\":40,\"customer\":\"ann\"}"
        #expect(bench.run(bench.assignment("sleep", payload: payload))?.text == "{\"ms\":40}")
        #expect(SystemClock.monotonicMilliseconds() - start >= 39)
    }

    @Test func sleepBeyondItsTimeoutFails() throws {
        let bench = try WorkerBench()
        let assignment = bench.assignment(
            "sleep", payload: "{\"ms\":60000}", timeoutMilliseconds: 30)
        let failure = bench.run(assignment)?.failure
        #expect(failure?.kind == "timeout")
        #expect(failure?.isRetryable == true)
        #expect(failure?.message == "did not finish within 30ms")
        #expect(bench.worker.runningCount == 0)
    }

    @Test func failFailsAsOftenAsAsked() throws {
        let bench = try WorkerBench()
        for attempt in 1...2 as ClosedRange<UInt32> {
            let failure = bench.run(
                bench.assignment("fail", payload: "{\"times\":2}", attempt: attempt))?.failure
            #expect(failure?.kind == "error")
            #expect(failure?.isRetryable == true)
        }
        #expect(
            bench.run(bench.assignment("fail", payload: "{\"times\":2}", attempt: 3))?.text
                == "{\"attempt\":3}")
        for payload in ["null", "{}"] {
            let result = bench.run(bench.assignment("fail", payload: payload, attempt: 900))
            #expect(result?.failure?.isRetryable == true)
        }
    }

    @Test(arguments: [
        ("", true), ("a", true), ("ab", false), ("Anna", true),
        ("A man, a plan, a canal: Panama!", true),
        ("No lemon, no melon", true), ("Hello", false), ("été", true), ("Été", true),
        ("e\u{301}té", true),
        ("12 21", true), ("1 2", false), ("!?", true), ("たけやぶやけた", true), ("Ärä", true),
        ("🎉 ab 🎊 a", true), ("\u{301}", true),
    ])
    func palindromes(text: String, expected: Bool) throws {
        let bench = try WorkerBench()
        var payload = JSONWriter()
        payload.beginObject()
        payload.field("text", text)
        payload.endObject()
        let result = bench.run(bench.assignment("palindrome", payload: payload.text))
        #expect(result?.text == "{\"palindrome\":\(expected)}")
    }

    @Test(arguments: [
        ("sleep", "null"), ("sleep", "{}"), ("sleep", "{\"ms\":-1}"), ("sleep", "{\"ms\":\"5\"}"),
        ("sleep", "[]"), ("palindrome", "{\"text\":1}"),
        ("palindrome", "{\"txt\":\"a\"}"), ("fail", "{\"times\":-1}"), ("fail", "7"),
    ])
    func refusesOtherPayloadsForGood(handler: String, payload: String) throws {
        let bench = try WorkerBench()
        let failure = bench.run(bench.assignment(handler, payload: payload))?.failure
        #expect(failure?.kind == "payload")
        #expect(failure?.isRetryable == false)
        #expect(failure?.message.hasPrefix("the payload ") == true)
    }

    @Test func palindromeRefusesTextThatWouldHoldTheLoop() throws {
        let bench = try WorkerBench()
        let text = String(repeating: "a", count: WorkerLimits.maxPalindromeBytes + 1)
        let failure = bench.run(bench.assignment("palindrome", payload: "{\"text\":\"\(text)\"}"))?
            .failure
        #expect(failure?.isRetryable == false)
    }

    @Test func unknownHandlersFail() throws {
        let bench = try WorkerBench()
        let failure = bench.run(bench.assignment("nothing"))?.failure
        #expect(failure?.kind == "handler")
        #expect(failure?.message.contains("\"nothing\"") == true)
        #expect(bench.worker.handlerNames == ["echo", "fail", "palindrome", "sleep"])
    }

    @Test func finishesAreNeverToldFromWithinACall() throws {
        let bench = try WorkerBench()
        for _ in 0..<100 { bench.worker.start(bench.assignment("echo")) }
        #expect(bench.finishes.isEmpty)
        bench.loop.turn(maxWaitMilliseconds: 1000)
        #expect(bench.finishes.count == 100)
        #expect(bench.finishes.map(\.task.number) == Array(1...100))
    }

    @Test func stoppingDecidesWhatIsReported() throws {
        let bench = try WorkerBench()
        let sleeps = (0..<3).map { _ in bench.assignment("sleep", payload: "{\"ms\":60000}") }
        for sleep in sleeps {
            bench.worker.start(sleep)
            bench.worker.start(sleep)
        }
        #expect(bench.worker.running.map(\.task) == sleeps.map(\.task))
        bench.worker.stop(task: sleeps[0].task, attempt: 2, reason: .revoked)
        #expect(bench.worker.runningCount == 3)
        bench.worker.stop(task: sleeps[0].task, attempt: 1, reason: .revoked)
        bench.worker.stop(task: sleeps[1].task, attempt: 1, reason: .leaseLost)
        bench.worker.stopAll(reason: .shutdown)
        bench.worker.stopAll(reason: .shutdown)
        bench.turn(until: { bench.finishes.count == 2 })
        bench.loop.turn(maxWaitMilliseconds: 10)
        #expect(bench.finishes.map(\.task) == [sleeps[1].task, sleeps[2].task])
        #expect(bench.finishes.map(\.result) == [.returned, .returned])
        #expect(bench.worker.runningCount == 0)
    }
}
