import Testing

@testable import Scheduler

struct ProgressTests {
    private func report(
        _ machine: Machine, _ id: TaskID, _ percent: UInt8?, _ note: String? = nil
    ) throws -> Command {
        let current = try #require(machine.current(id))
        return .reportProgress(
            ProgressReport(
                task: id, attempt: current.attempt, fence: current.fence,
                progress: TaskProgress(percent: percent, note: note)))
    }

    @Test func `what is not said stays as it was`() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h())
        #expect(machine.scheduler.task(id)?.progress == nil)
        try machine.run(try report(machine, id, 40, "half"))
        try machine.run(try report(machine, id, 50))
        #expect(machine.scheduler.task(id)?.progress == TaskProgress(percent: 50, note: "half"))
        try machine.run(try report(machine, id, nil, "more"))
        #expect(machine.scheduler.task(id)?.progress == TaskProgress(percent: 50, note: "more"))
    }

    @Test func `only the current attempt is heard, and the next one begins anew`() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h())
        let first = try report(machine, id, 90)
        try machine.run(first)
        try machine.finish(id, .returned)
        #expect(machine.scheduler.task(id)?.attempt == 2)
        #expect(machine.scheduler.task(id)?.progress == nil)
        let late = try machine.run(first)
        #expect(late == .rejected(.staleAttempt))
        try machine.run(try report(machine, id, 10))
        let last = try report(machine, id, 20)
        try machine.finish(id)
        let tooLate = try machine.run(last)
        #expect(tooLate == .rejected(.staleAttempt))
        #expect(machine.scheduler.task(id)?.progress?.percent == 10)
    }

    @Test func `it survives a snapshot, and has limits`() throws {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(.h())
        try machine.run(try report(machine, id, 100, "ä"))
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.task(id)?.progress == TaskProgress(percent: 100, note: "ä"))
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        let tooMuch = try machine.run(try report(machine, id, 101))
        #expect(tooMuch == .rejected(.malformed))
        let long = String(repeating: "x", count: Limits.maxProgressNoteBytes + 1)
        let tooLong = try machine.run(try report(machine, id, 1, long))
        #expect(tooLong == .rejected(.malformed))
    }
}
