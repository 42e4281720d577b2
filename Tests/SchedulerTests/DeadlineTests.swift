import Testing

@testable import Scheduler

/// The overall time-out, and what is tried again.
struct DeadlineTests {
    private func machine(slots: UInt32 = 1) throws -> Machine {
        var machine = Machine()
        try machine.register("w", slots: slots)
        return machine
    }

    @Test
    func runningAttemptIsRevokedWhenTheTimeIsOver() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.overallTimeoutMilliseconds = 5_000 })
        let waiting = try machine.submit(.h())
        #expect(machine.scheduler.nextWake == machine.time + 5_000)
        try machine.advance(by: 4_999)
        #expect(machine.state(id) == .running)
        try machine.advance(by: 1)
        #expect(machine.revoked == [id])
        let view = try #require(machine.scheduler.task(id))
        #expect(view.state == .dead && view.error?.kind == "overallTimeout")
        #expect(view.attempts.map(\.outcome) == ["timeout"])
        #expect(machine.assigned == [waiting], "its slot is free")
    }

    @Test
    func attemptsAndPausesCountTogether() throws {
        var machine = try machine()
        let id = try machine.submit(
            .h {
                $0.overallTimeoutMilliseconds = 5_000
                $0.retry.attempts = 100
                $0.retry.backoff = .fixed
                $0.retry.initialMilliseconds = 2_000
            })
        for attempt in 1...2 as ClosedRange<UInt32> {
            #expect(machine.current(id)?.attempt == attempt)
            machine.time += 400
            try machine.finish(id, .error("no \(attempt)"))
            try machine.advance(by: 2_000)
        }
        #expect(machine.current(id)?.attempt == 3, "4.8 s of 5")
        try machine.finish(id, .error("no 3"))
        #expect(machine.state(id) == .scheduled)
        try machine.advance(by: 200)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.state == .dead)
        #expect(view.error?.message.hasSuffix("last error: no 3") == true)
        #expect(view.attempts.map(\.outcome) == ["failed", "failed", "failed"])
        try machine.advance(by: 60_000)
        #expect(machine.state(id) == .dead)
    }

    @Test
    func timeRunsFromWhenItIsDue() throws {
        var machine = Machine()
        let id = try machine.submit(
            .h {
                $0.overallTimeoutMilliseconds = 1_000
                $0.start = .after(milliseconds: 10_000)
            })
        try machine.advance(by: 10_999)
        #expect(machine.state(id) == .ready, "it waits for a worker")
        try machine.advance(by: 1)
        #expect(machine.state(id) == .dead)
    }

    @Test
    func timeRunsFromWhenThoseBeforeHaveEnded() throws {
        var machine = try machine()
        let first = try machine.submit(.h { $0.timeoutMilliseconds = 100_000 })
        let id = try machine.submit(
            .h {
                $0.overallTimeoutMilliseconds = 1_000
                $0.after = [first]
            })
        try machine.advance(by: 50_000)
        #expect(machine.state(id) == .blocked)
        try machine.finish(first)
        #expect(machine.state(id) == .running)
        try machine.advance(by: 1_000)
        #expect(machine.state(id) == .dead)
    }

    @Test
    func whoBringsItBackGivesItAllTheTimeAnew() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.overallTimeoutMilliseconds = 1_000 })
        try machine.advance(by: 1_000)
        #expect(machine.state(id) == .dead)
        try machine.advance(by: 5_000)
        try machine.run(.retry(id))
        #expect(machine.state(id) == .running)
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        try machine.advance(by: 999)
        #expect(machine.state(id) == .running)
        try machine.advance(by: 1)
        #expect(machine.state(id) == .dead)
    }

    @Test
    func whatEndsInTimeIsLeftAlone() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.overallTimeoutMilliseconds = 1_000 })
        try machine.finish(id)
        try machine.advance(by: 2_000)
        #expect(machine.state(id) == .succeeded)
    }

    // MARK: What is tried again

    private func failed(_ kinds: [String], _ result: AttemptResult) throws -> TaskState? {
        var machine = try machine()
        let id = try machine.submit(.h { $0.retry.kinds = kinds })
        try machine.finish(id, result)
        return machine.state(id)
    }

    @Test
    func onlyTheKindsOfThePolicyAreTriedAgain() throws {
        #expect(try failed([], .error(kind: "exit")) == .scheduled)
        #expect(try failed(["http", "timeout"], .error(kind: "timeout")) == .scheduled)
        #expect(try failed(["http", "timeout"], .error(kind: "exit")) == .dead)
        #expect(try failed(["exit"], .error(kind: "exit", isRetryable: false)) == .dead)
        #expect(
            try failed(["http"], .error(kind: RetryPolicy.temporaryKind)) == .scheduled,
            "what says that it passes is always tried again")
    }

    @Test
    func timeoutsOfTheLogAndLossesAreKindsAsWell() throws {
        var machine = try machine()
        let exits = TaskSpec.h {
            $0.retry.kinds = ["exit"]
            $0.timeoutMilliseconds = 1_000
        }
        let slow = try machine.submit(exits)
        try machine.advance(by: 1_000 + Limits.timeoutGraceMilliseconds)
        #expect(machine.state(slow) == .dead)
        let lost = try machine.submit(exits)
        try machine.run(.workerLost(id: "w", incarnation: 1))
        #expect(machine.state(lost) == .dead)
        #expect(machine.scheduler.task(lost)?.error?.kind == RetryPolicy.lostKind)
        // What is handed back was not started in earnest.
        try machine.register("v")
        let returned = try machine.submit(exits)
        try machine.finish(returned, .returned)
        #expect(machine.state(returned) == .running)
    }
}
