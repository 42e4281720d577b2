import Testing

@testable import Scheduler

/// Results that are too large for the state, and logs: the state knows only where they are.
struct StoredResultTests {
    private static let output = StoredOutput(
        bytes: 1 << 20, checksum: [UInt8](repeating: 0xAB, count: 32), node: "n2")

    private var machine = Machine()

    init() throws {
        try machine.register("w", slots: 4)
    }

    @Test mutating func `a stored result is known by the attempt that made it`() throws {
        let id = try machine.submit(.h())
        let fence = try #require(machine.current(id)).fence
        try machine.finish(id, .stored(Self.output))
        let task = try #require(machine.scheduler.task(id))
        #expect(task.state == .succeeded)
        #expect(task.result == nil)
        #expect(
            task.stored == StoredResult(task: id, attempt: 1, fence: fence, output: Self.output))
        #expect(machine.scheduler.keepsResult(of: id, attempt: 1, fence: fence))
        #expect(!machine.scheduler.keepsResult(of: id, attempt: 1, fence: fence + 1))
        #expect(!machine.scheduler.keepsResult(of: id, attempt: 2, fence: fence))
        try machine.run(.deleteTask(id))
        #expect(!machine.scheduler.keepsResult(of: id, attempt: 1, fence: fence))
    }

    @Test mutating func `a successor gets a reference in its place`() throws {
        let first = try machine.submit(.h())
        let second = try machine.submit(.h { $0.after = [first] })
        try machine.finish(first, .stored(Self.output))
        let input = try #require(machine.current(second)?.inputs.first?.result)
        let text = String(decoding: input, as: UTF8.self)
        let checksum = String(repeating: "ab", count: 32)
        #expect(
            text
                == "{\"storedResult\":{\"task\":\"\(first)\",\"bytes\":1048576,\"sha256\":\"\(checksum)\"}}"
        )
        // In a snapshot the two share it.
        let copy = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(copy.stateHash() == machine.scheduler.stateHash())
        #expect(copy.runningAttempt(of: second)?.inputs.first?.result == input)
    }

    @Test mutating func `each attempt's log is known`() throws {
        let id = try machine.submit(.h { $0.retry.attempts = 30 })
        var fences: [UInt64] = []
        for _ in 0..<25 {
            while machine.state(id) != .running { try machine.advance(by: 400_000) }
            var report = try machine.report(id, .error("no"))
            report.log = Finish.Log(bytes: 17, node: "n1")
            fences.append(report.fence)
            try machine.run(.finish(report))
        }
        let logs = try #require(machine.scheduler.task(id)).logs
        #expect(logs.map(\.attempt) == Array(6...25))
        #expect(logs.map(\.fence) == Array(fences.suffix(20)))
        #expect(logs.allSatisfy { $0.bytes == 17 && $0.node == "n1" })
        #expect(machine.scheduler.keepsLog(of: id, attempt: 25, fence: fences[24]))
        #expect(!machine.scheduler.keepsLog(of: id, attempt: 5, fence: fences[4]))
        let copy = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(copy.task(id)?.logs == logs)
    }

    @Test mutating func `what is not acceptable changes nothing`() throws {
        let id = try machine.submit(.h())
        var long = Self.output
        long.bytes = Limits.maxStoredResultBytes + 1
        var short = Self.output
        short.checksum.removeLast()
        var far = Self.output
        far.node = String(repeating: "n", count: Limits.maxNameBytes + 1)
        for output in [long, short, far] {
            let outcome = try machine.finish(id, .stored(output))
            #expect(outcome == .rejected(.malformed))
        }
        var stale = try machine.report(id, .stored(Self.output))
        stale.fence += 1
        let outcome = try machine.run(.finish(stale))
        #expect(outcome == .rejected(.staleAttempt))
        #expect(machine.state(id) == .running)
        #expect(machine.scheduler.task(id)?.logs == [])
    }
}
