import Testing

@testable import Scheduler

/// Tasks that are answered with what others of their kind came to.
struct ResultCacheTests {
    private var machine = Machine()

    init() throws {
        try machine.register("w", slots: 8)
    }

    private mutating func submit(
        _ payload: String = "1", cache: Milliseconds? = 60_000,
        _ change: (inout TaskSpec) -> Void = { _ in }
    ) throws -> TaskID {
        try machine.submit(
            .h { spec in
                spec.payload = Array(payload.utf8)
                spec.cacheMilliseconds = cache
                change(&spec)
            })
    }

    private func cachedFrom(_ id: TaskID) -> TaskID? { machine.scheduler.task(id)?.cachedFrom }

    @Test mutating func `a result answers the same question`() throws {
        let first = try submit()
        #expect(machine.state(first) == .running)
        try machine.finish(first, .succeeded([0x37]))
        let second = try submit()
        #expect(machine.assigned.isEmpty)
        let task = try #require(machine.scheduler.task(second))
        #expect(task.state == .succeeded)
        #expect(task.result == [0x37])
        #expect(task.cachedFrom == first)
        #expect(task.attempt == 0)
        #expect(task.finishedAt == machine.time)
        #expect(machine.scheduler.task(first)?.cachedFrom == nil)
    }

    @Test mutating func `another payload, handler or wish is another question`() throws {
        let first = try submit()
        try machine.finish(first)
        let others = [
            try submit("2"), try submit("1", cache: nil), try submit { $0.handler = "other" },
            try submit { $0.start = .after(milliseconds: 1) },
        ]
        for other in others { #expect(machine.state(other)?.isFinal == false) }
        // Whoever wants no cached result gives none, either.
        let plain = try submit("3", cache: nil)
        try machine.finish(plain)
        let asking = try submit("3")
        #expect(machine.state(asking) == .running)
    }

    @Test mutating func `what another namespace's tasks came to answers nothing`() throws {
        let first = try submit { $0.queue = "shop:q" }
        try machine.finish(first)
        let other = try submit { $0.queue = "q" }
        #expect(machine.state(other) == .running)
        let same = try submit { $0.queue = "shop:other" }
        #expect(cachedFrom(same) == first)
    }

    @Test mutating func `its age counts, and being asked for does not make it younger`() throws {
        let first = try submit()
        try machine.finish(first)
        try machine.advance(by: 40_000)
        let second = try submit()
        #expect(cachedFrom(second) == first)
        try machine.advance(by: 20_000)
        let third = try submit()
        #expect(cachedFrom(third) == first)
        try machine.advance(by: 1)
        let fourth = try submit()
        #expect(machine.state(fourth) == .running)
        let patient = try submit(cache: 3_600_000)
        #expect(cachedFrom(patient) == first)
    }

    @Test mutating func `what failed, or is not kept, answers nothing`() throws {
        let dead = try submit { $0.retry.attempts = 1 }
        try machine.finish(dead, .error("no"))
        let first = try submit()
        #expect(machine.state(first) == .running)
        try machine.finish(first)
        try machine.advance(by: 10)
        let newer = try submit(cache: 1)
        try machine.finish(newer)
        try machine.run(.deleteTask(newer))
        let answered = try submit()
        #expect(cachedFrom(answered) == first)
        try machine.run(.deleteTask(first))
        #expect(machine.scheduler.task(answered)?.state == .succeeded)
        let again = try submit()
        #expect(machine.state(again) == .running)
    }

    @Test mutating func `a stored result is kept for those it answered`() throws {
        let first = try submit()
        let fence = try #require(machine.current(first)).fence
        let output = StoredOutput(
            bytes: 70_000, checksum: [UInt8](repeating: 1, count: 32), node: "n1")
        try machine.finish(first, .stored(output))
        let answered = [try submit(), try submit()]
        #expect(machine.scheduler.task(answered[0])?.stored?.task == first)
        try machine.run(.deleteTask(first))
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.keepsResult(of: first, attempt: 1, fence: fence))
        for id in answered {
            #expect(machine.scheduler.keepsResult(of: first, attempt: 1, fence: fence))
            try machine.run(.deleteTask(id))
        }
        #expect(!machine.scheduler.keepsResult(of: first, attempt: 1, fence: fence))
    }

    @Test mutating func `a successor of what was answered goes on at once`() throws {
        let first = try submit()
        try machine.finish(first, .succeeded([0x37]))
        let second = try submit()
        let third = try submit { $0.after = [second] }
        #expect(machine.current(third)?.inputs.map(\.result) == [[0x37]])
        // What it comes to depends on more than its payload.
        try machine.finish(third, .succeeded([0x38]))
        let fourth = try submit()
        #expect(machine.scheduler.task(fourth)?.result == [0x37])
    }

    /// Which one answers must not depend on whether a node has grown with the log or come from a snapshot.
    @Test mutating func `a restored state answers with the same`() throws {
        var ids: [TaskID] = []
        for _ in 0..<4 { ids.append(try submit()) }
        for id in ids.reversed() { try machine.finish(id) }
        try machine.run(.deleteTask(ids[3]))
        var restored = machine
        restored.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        let id = try submit()
        let other = try restored.submit(
            .h { spec in
                spec.payload = Array("1".utf8)
                spec.cacheMilliseconds = 60_000
            })
        #expect(id == other)
        #expect(cachedFrom(id) == ids[2])
        #expect(restored.scheduler.stateHash() == machine.scheduler.stateHash())
    }
}
