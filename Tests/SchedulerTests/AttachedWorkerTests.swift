import Testing

@testable import Scheduler

/// Workers that are no nodes: their sessions are numbered by the log.
struct AttachedWorkerTests {
    private func spec(_ id: String = "w7", slots: UInt32 = 2, tags: [String] = []) -> WorkerSpec {
        WorkerSpec(id: id, incarnation: 0, slots: slots, handlers: ["h"], tags: tags)
    }

    private func attach(_ machine: inout Machine, _ id: String = "w7") throws -> UInt64 {
        let outcome = try machine.run(.attachWorker(spec(id)))
        guard case .session(let session) = outcome else { throw Unexpected(outcome: outcome) }
        return session
    }

    @Test func `what waits is assigned to whoever attaches, under its session`() throws {
        var machine = Machine()
        let id = try machine.submit(.h())
        let session = try attach(&machine)
        let current = try #require(machine.current(id))
        #expect(current.worker == "w7")
        #expect(current.incarnation == session)
        #expect(Incarnation.isSession(session))
        #expect(machine.scheduler.runningAttempt(of: id) == current)
    }

    @Test func `a later session takes the name over, with what ran`() throws {
        var machine = Machine()
        let first = try attach(&machine)
        let id = try machine.submit(.h())
        let old = try machine.report(id)
        let second = try attach(&machine)
        #expect(second > first)
        #expect(
            machine.events.contains(
                .revoked(worker: "w7", incarnation: first, task: id, attempt: 1)))
        let current = try #require(machine.current(id))
        #expect(current.attempt == 2)
        #expect(current.incarnation == second)
        let late = try machine.run(.finish(old))
        #expect(late == .rejected(.staleAttempt))
        let loss = try machine.run(.workerLost(id: "w7", incarnation: first))
        #expect(loss == .rejected(.staleIncarnation))
    }

    @Test func `two sessions of one entry are two`() throws {
        var machine = Machine()
        let outcomes = try machine.run([.attachWorker(spec()), .attachWorker(spec())])
        #expect(outcomes.count == 2)
        #expect(outcomes[0] != outcomes[1])
        let worker = try #require(machine.scheduler.worker("w7"))
        #expect(outcomes[1] == .session(worker.spec.incarnation))
    }

    @Test func `a lost worker comes back in a session of its own`() throws {
        var machine = Machine()
        let first = try attach(&machine)
        let id = try machine.submit(.h())
        try machine.run(.workerLost(id: "w7", incarnation: first))
        #expect(machine.state(id) == .ready)
        let second = try attach(&machine)
        #expect(second > first)
        #expect(machine.current(id)?.incarnation == second)
        #expect(machine.scheduler.worker("w7")?.state == .live)
    }

    @Test func `a request to attach that comes again, or late, begins nothing`() throws {
        var machine = Machine()
        let first = try machine.run(.attachWorker(spec(), key: "a"))
        let id = try machine.submit(.h())
        let again = try machine.run(.attachWorker(spec(), key: "a"))
        #expect(again == first)
        #expect(machine.scheduler.task(id)?.attempt == 1, "what it runs goes on")
        let other = try machine.run(.attachWorker(spec(slots: 3), key: "a"))
        #expect(other == .rejected(.keyConflict))
        let second = try machine.run(.attachWorker(spec(), key: "b"))
        #expect(second != first)
        let attempt = machine.scheduler.task(id)?.attempt
        // Also across a snapshot, and whatever became of the sessions.
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        let late = try machine.run(.attachWorker(spec(), key: "a"))
        #expect(late == first)
        #expect(machine.scheduler.task(id)?.attempt == attempt)
        guard case .session(let session) = second else { throw Unexpected(outcome: second) }
        try machine.run(.workerLost(id: "w7", incarnation: session))
        let lost = try machine.run(.attachWorker(spec(), key: "b"))
        #expect(lost == second && machine.scheduler.worker("w7")?.state == .lost)
        let third = try machine.run(.attachWorker(spec()))
        #expect(third != second && machine.worker(of: id) == "w7")
    }

    @Test func `the last keys are remembered`() throws {
        var machine = Machine()
        var sessions: [Outcome] = []
        for number in 0...Limits.maxAttachments {
            sessions.append(try machine.run(.attachWorker(spec(), key: "k\(number)")))
        }
        let oldest = try machine.run(.attachWorker(spec(), key: "k1"))
        #expect(oldest == sessions[1])
        let forgotten = try machine.run(.attachWorker(spec(), key: "k0"))
        #expect(!sessions.contains(forgotten), "it counts as a new one")
    }

    @Test func `the names of nodes are theirs`() throws {
        var machine = Machine()
        try machine.run(.raiseStateVersion(2))
        try machine.run(.adoptMembers([.named("n1", directory: 1)]))
        let member = try machine.run(.attachWorker(spec("n1")))
        #expect(member == .rejected(.nodeName))
        // A former node's worker that is still remembered.
        try machine.register("n2", incarnation: 1)
        let remembered = try machine.run(.attachWorker(spec("n2")))
        #expect(remembered == .rejected(.nodeName))
    }

    @Test func `a node that comes under an attached worker's name has it at once`() throws {
        var machine = Machine()
        _ = try attach(&machine)
        let id = try machine.submit(.h())
        let outcome = try machine.register("w7", incarnation: 5)
        #expect(outcome == .done)
        #expect(machine.current(id)?.incarnation == 5)
        #expect(machine.current(id)?.attempt == 2)
    }

    @Test func `no node can pretend to be a session`() throws {
        var machine = Machine()
        let session = try attach(&machine)
        let outcome = try machine.register("w7", incarnation: session + 1)
        #expect(outcome == .rejected(.malformed))
        let worker = machine.scheduler.worker("w7")
        #expect(worker?.spec.incarnation == session)
    }

    @Test func `a session is remembered like any outcome, and survives a snapshot`() throws {
        var machine = Machine()
        _ = try attach(&machine)
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        let again = try attach(&machine)
        #expect(machine.scheduler.worker("w7")?.spec.incarnation == again)
    }
}
