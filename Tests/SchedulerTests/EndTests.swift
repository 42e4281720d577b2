import Testing

@testable import Scheduler

struct EndTests {
    private func running(
        _ spec: TaskSpec = .h()
    ) throws -> (machine: Machine, id: TaskID) {
        var machine = Machine()
        try machine.register("w")
        let id = try machine.submit(spec)
        return (machine, id)
    }

    @Test
    func successKeepsTheResultByteForByte() throws {
        var (machine, id) = try running()
        machine.time += 30
        #expect(try machine.finish(id, .succeeded(Array("{ }".utf8))) == .done)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.state == .succeeded && view.result == Array("{ }".utf8))
        #expect(view.finishedAt == machine.time && view.worker == "w" && view.attempt == 1)
        #expect(view.attempts.map(\.outcome) == ["succeeded"])
        #expect(machine.events.contains(.taskChanged(id, .succeeded)))
        #expect(machine.scheduler.worker("w")?.running == 0)
    }

    @Test
    func onlyTheCurrentAttemptIsAccepted() throws {
        var (machine, id) = try running()
        let current = try machine.report(id)
        var wrongFence = current
        wrongFence.fence -= 1
        var wrongAttempt = current
        wrongAttempt.attempt += 1
        var wrongTask = current
        wrongTask.task = TaskID(99)
        #expect(try machine.run(.finish(wrongFence)) == .rejected(.staleAttempt))
        #expect(try machine.run(.finish(wrongAttempt)) == .rejected(.staleAttempt))
        #expect(try machine.run(.finish(wrongTask)) == .rejected(.notFound))
        #expect(machine.state(id) == .running)
        #expect(try machine.run(.finish(current)) == .done)
        #expect(try machine.run(.finish(current)) == .rejected(.staleAttempt))
    }

    @Test
    func onlyWhatHasEndedIsDeletedAndItsKeyStays() throws {
        var (machine, id) = try running(.h { $0.key = "k" })
        #expect(try machine.run(.deleteTask(id)) == .rejected(.wrongState))
        try machine.finish(id, .succeeded([]))
        #expect(try machine.run(.deleteTask(id)) == .done)
        #expect(machine.scheduler.task(id) == nil && machine.state(id) == nil)
        #expect(try machine.run(.deleteTask(id)) == .rejected(.notFound))
        #expect(try machine.run(.submit(.h { $0.key = "k" })) == .task(id, existed: true))
        // Its wake is still in the heap, and does nothing.
        machine.time += Limits.finishedRetentionMilliseconds + 2_000
        #expect(try machine.run(.advance([])) == .done)
    }

    @Test
    func oversizedReportsAreRefused() throws {
        var (machine, id) = try running()
        let large = [UInt8](repeating: 1, count: Limits.maxResultBytes + 1)
        #expect(try machine.finish(id, .succeeded(large)) == .rejected(.malformed))
        let kind = String(repeating: "x", count: 256)
        #expect(try machine.finish(id, .error(kind: kind)) == .rejected(.malformed))
        #expect(machine.state(id) == .running)
        // A long message is cut between characters.
        let message = "x" + String(repeating: "ä", count: Limits.maxErrorMessageBytes)
        try machine.finish(id, .error(message, isRetryable: false))
        let kept = try #require(machine.scheduler.task(id)?.error?.message)
        #expect(message.hasPrefix(kept) && kept.utf8.count == Limits.maxErrorMessageBytes - 1)
    }

    @Test
    func failureIsRetriedAfterItsDelayUntilTheBudgetIsSpent() throws {
        let spec = TaskSpec.h {
            $0.retry.attempts = 3
            $0.retry.initialMilliseconds = 100
        }
        var (machine, id) = try running(spec)
        for (attempt, delay) in [(1, 100), (2, 200)] as [(UInt32, Milliseconds)] {
            try machine.finish(id, .error("no \(attempt)"))
            let view = try #require(machine.scheduler.task(id))
            #expect(view.state == .scheduled && view.dueAt == machine.time + delay)
            #expect(view.error == .init(message: "no \(attempt)", kind: "error", attempt: attempt))
            #expect(machine.scheduler.nextWake == view.dueAt)
            try machine.advance(by: delay - 1)
            #expect(machine.state(id) == .scheduled)
            try machine.advance(by: 1)
            #expect(machine.current(id)?.attempt == attempt + 1)
        }
        try machine.finish(id, .error())
        #expect(machine.state(id) == .dead)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.attempts.map(\.number) == [1, 2, 3])
        #expect(view.attempts.map(\.outcome) == ["failed", "failed", "failed"])
        #expect(view.attempts.allSatisfy { $0.worker == "w" && $0.finishedAt != nil })
    }

    @Test
    func retryAfterOverridesThePolicy() throws {
        var (machine, id) = try running(.h { $0.retry.jitter = true })
        try machine.finish(id, .error(retryAfter: 77_000))
        #expect(machine.scheduler.task(id)?.dueAt == machine.time + 77_000)
        try machine.advance(by: 77_000)
        try machine.finish(id, .error(retryAfter: -5))
        #expect(machine.state(id) == .running, "at once, on the slot it has just left")
    }

    @Test
    func finalFailureIsNotRetried() throws {
        var (machine, id) = try running()
        try machine.finish(id, .error(isRetryable: false))
        #expect(machine.state(id) == .dead)
    }

    @Test
    func returnedTaskSpendsNothingAndKeepsItsPlace() throws {
        var (machine, id) = try running(.h { $0.retry.attempts = 1 })
        machine.time += 10
        let later = try machine.submit(.h())
        try machine.finish(id, .returned)
        #expect(machine.assigned == [id], "it was due before the one that waits")
        #expect(machine.state(later) == .ready)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.attempt == 2 && view.attempts.map(\.outcome) == ["returned", "running"])
        try machine.finish(id, .error())
        #expect(machine.state(id) == .dead, "that was the only attempt of its budget")
    }

    @Test
    func returnedTaskYieldsToABetterOne() throws {
        var (machine, id) = try running()
        let urgent = try machine.submit(.h { $0.priority = 9 })
        try machine.finish(id, .returned)
        #expect(machine.assigned == [urgent] && machine.state(id) == .ready)
    }

    @Test
    func atMostOnceIsDeadWhenItsEndIsUnknown() throws {
        let spec = TaskSpec.h { $0.delivery = .atMostOnce }
        var (machine, returned) = try running(spec)
        try machine.finish(returned, .returned)
        #expect(machine.state(returned) == .dead)
        #expect(machine.scheduler.task(returned)?.error?.kind == "lost")
        let lost = try machine.submit(spec)
        try machine.run(.workerLost(id: "w", incarnation: 1))
        #expect(machine.state(lost) == .dead)
        #expect(machine.scheduler.task(lost)?.error?.kind == "lost")
        try machine.register("w", incarnation: 2)
        let silent = try machine.submit(spec)
        try machine.advance(by: 300_000 + Limits.timeoutGraceMilliseconds)
        #expect(machine.state(silent) == .dead)
        // What the handler itself reports is known to have ended.
        let failed = try machine.submit(spec)
        try machine.finish(failed, .error())
        #expect(machine.state(failed) == .scheduled)
    }

    @Test
    func atMostOnceIsRepeatedOnlyAfterWhatItsHandlerTold() throws {
        let spec = TaskSpec.h {
            $0.delivery = .atMostOnce
            $0.retry.attempts = 3
        }
        for kind in ["timeout", "connection", "signal"] {
            var (machine, id) = try running(spec)
            try machine.finish(id, .error("who knows", kind: kind))
            #expect(machine.state(id) == .dead, "\(kind)")
            #expect(machine.scheduler.task(id)?.error?.kind == kind)
        }
        for kind in ["exit", "temporary", "http", "error"] {
            var (machine, id) = try running(spec)
            try machine.finish(id, .error("no", kind: kind))
            #expect(machine.state(id) == .scheduled, "\(kind)")
        }
        // At least once it is tried again after any of them.
        var (machine, id) = try running(.h())
        try machine.finish(id, .error("slow", kind: "timeout"))
        #expect(machine.state(id) == .scheduled)
    }

    @Test
    func atMostOnceThatNeverBeganIsSomebodyElses() throws {
        let spec = TaskSpec.h {
            $0.delivery = .atMostOnce
            $0.retry.attempts = 1
        }
        var (machine, id) = try running(spec)
        var report = try machine.report(id, .returned)
        report.hasBegun = false
        #expect(try machine.run(.finish(report)) == .done)
        #expect(machine.assigned == [id])
        let view = try #require(machine.scheduler.task(id))
        #expect(view.attempts.map(\.outcome) == ["returned", "running"])
        #expect(try machine.run(.finish(report)) == .rejected(.staleAttempt))
        // Its time was over before it began.
        let waiting = try machine.submit(.h { $0.delivery = .atMostOnce })
        try machine.finish(id)
        var late = try machine.report(waiting, .error("slow", kind: "timeout"))
        late.hasBegun = false
        try machine.run(.finish(late))
        #expect(machine.state(waiting) == .scheduled)
    }

    @Test
    func aLogThatComesAfterTheEndIsKeptOnce() throws {
        var (machine, id) = try running(.h())
        let first = try #require(machine.current(id))
        func log(_ assignment: Assignment) -> Command {
            .noteLog(
                LogReport(
                    task: id,
                    log: AttemptLog(
                        attempt: assignment.attempt, fence: assignment.fence, bytes: 9, node: "n1"))
            )
        }
        #expect(try machine.run(log(first)) == .rejected(.staleAttempt), "it comes with its end")
        try machine.run(.workerLost(id: "w", incarnation: 1))
        try machine.register("w", incarnation: 2)
        let second = try #require(machine.current(id))
        #expect(try machine.run(log(first)) == .done)
        #expect(try machine.run(log(first)) == .rejected(.staleAttempt))
        try machine.run(.cancel(id))
        #expect(try machine.run(log(second)) == .done)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.logs.map(\.attempt) == [first.attempt, second.attempt])
        #expect(machine.scheduler.keepsLog(of: id, attempt: 2, fence: second.fence))
        var unknown = second
        unknown.attempt = 3
        #expect(try machine.run(log(unknown)) == .rejected(.staleAttempt))
        try machine.run(.deleteTask(id))
        #expect(try machine.run(log(second)) == .rejected(.notFound))
    }

    @Test
    func handingBackUnbegunHasABound() throws {
        var (machine, id) = try running(.h { $0.delivery = .atMostOnce })
        for _ in 0..<Limits.maxLosses {
            var report = try machine.report(id, .returned)
            report.hasBegun = false
            try machine.run(.finish(report))
            #expect(machine.state(id) == .running)
        }
        var last = try machine.report(id, .returned)
        last.hasBegun = false
        try machine.run(.finish(last))
        #expect(machine.state(id) == .dead)
    }

    @Test
    func cancelEndsAnyStateButAFinalOne() throws {
        var (machine, active) = try running()
        let ready = try machine.submit(.h())
        let scheduled = try machine.submit(.h { $0.start = .after(milliseconds: 50) })
        let report = try machine.report(active)
        #expect(try machine.run(.cancel(active)) == .done)
        #expect(machine.revoked == [active] && machine.state(active) == .cancelled)
        #expect(machine.worker(of: ready) == "w", "the slot is free at once")
        #expect(try machine.run(.finish(report)) == .rejected(.staleAttempt))
        #expect(try machine.run(.cancel(ready)) == .done)
        #expect(try machine.run(.cancel(scheduled)) == .done)
        #expect(try machine.run(.cancel(scheduled)) == .rejected(.wrongState))
        #expect(try machine.run(.cancel(TaskID(77))) == .rejected(.notFound))
        try machine.advance(by: 100)
        #expect(machine.scheduler.counts.tasksByState[6] == 3)
        #expect(machine.scheduler.task(active)?.attempts.map(\.outcome) == ["cancelled"])
    }

    @Test
    func waitingTaskThatWasCancelledIsNeverAssigned() throws {
        var machine = Machine()
        let tasks = try (0..<5).map { _ in try machine.submit(.h()) }
        try machine.run(.cancel(tasks[0]))
        try machine.run(.cancel(tasks[2]))
        try machine.register("w", slots: 9)
        #expect(machine.assigned == [tasks[1], tasks[3], tasks[4]])
    }

    @Test
    func retryCommandGivesAFreshBudget() throws {
        var (machine, id) = try running(.h { $0.retry.attempts = 1 })
        #expect(try machine.run(.retry(id)) == .rejected(.wrongState))
        let old = try machine.report(id)
        try machine.finish(id, .error())
        #expect(machine.state(id) == .dead)
        machine.time += 5
        #expect(try machine.run(.retry(id)) == .done)
        let view = try #require(machine.scheduler.task(id))
        #expect(view.state == .running && view.attempt == 2 && view.dueAt == machine.time)
        #expect(try machine.run(.finish(old)) == .rejected(.staleAttempt))
        try machine.finish(id)
        #expect(try machine.run(.retry(id)) == .rejected(.wrongState))
        #expect(try machine.run(.retry(TaskID(9))) == .rejected(.notFound))
        #expect(machine.scheduler.task(id)?.attempts.map(\.outcome) == ["failed", "succeeded"])
    }

    @Test
    func cancelledTaskCanBeRetried() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.start = .after(milliseconds: 1_000) })
        try machine.run(.cancel(id))
        #expect(try machine.run(.retry(id)) == .done)
        #expect(machine.state(id) == .ready && machine.scheduler.task(id)?.finishedAt == nil)
        // Neither its old retention nor its old start may hit it now.
        try machine.advance(by: 2 * Limits.finishedRetentionMilliseconds)
        #expect(machine.state(id) == .ready)
    }

    @Test
    func historyKeepsTheLastAttempts() throws {
        var (machine, id) = try running(
            .h {
                $0.retry.attempts = 50
                $0.retry.initialMilliseconds = 0
            })
        for _ in 0..<30 { try machine.finish(id, .error()) }
        let view = try #require(machine.scheduler.task(id))
        #expect(view.attempts.map(\.number) == (12...31).map { UInt32($0) })
        #expect(view.attempts.last?.outcome == "running")
    }
}

extension Assignment {
    /// Of the attempt before, if there was one.
    var formerLog: LogReport {
        LogReport(
            task: task,
            log: AttemptLog(attempt: attempt - 1, fence: fence - 1, bytes: 3, node: "n1"))
    }
}
