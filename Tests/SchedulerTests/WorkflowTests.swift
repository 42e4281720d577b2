import Testing

@testable import Scheduler

struct WorkflowTests {
    private func item(
        _ name: String? = nil, after: [UInt32] = [], _ change: (inout TaskSpec) -> Void = { _ in }
    ) -> GraphSpec.Item {
        GraphSpec.Item(name: name, after: after, spec: .h(change))
    }

    /// Two side by side, and one behind both.
    private var diamond: GraphSpec {
        GraphSpec(items: [item("a"), item("b"), item("c", after: [0, 1])])
    }

    private func submit(_ graph: GraphSpec, _ machine: inout Machine) throws -> WorkflowID {
        let outcome = try machine.run(.submitGraph(graph))
        guard case .task(let first, false) = outcome else { throw Unexpected(outcome: outcome) }
        return WorkflowID(first: first)
    }

    @Test
    func allTasksComeToBeAndRunInOrder() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        _ = try machine.submit(.h())
        let id = try submit(diamond, &machine)
        let (a, b, c) = (TaskID(2), TaskID(3), TaskID(4))
        #expect(id.description == "w2" && WorkflowID("w2") == id)
        #expect([a, b, c].map { machine.state($0) } == [.running, .running, .blocked])
        try machine.finish(b, .succeeded(Array("2".utf8)))
        var view = try #require(machine.scheduler.workflow(id))
        #expect(view.state == .running && view.endedCount == 1 && view.count == 3)
        #expect(view.tasks.map(\.name) == ["a", "b", "c"])
        try machine.finish(a, .succeeded(Array("1".utf8)))
        #expect(
            machine.current(c)?.inputs == [
                TaskInput(name: "a", result: Array("1".utf8)),
                TaskInput(name: "b", result: Array("2".utf8)),
            ])
        #expect(machine.scheduler.task(c)?.workflow == id)
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(machine.scheduler.workflow(id)?.tasks.count == 3)
        try machine.finish(c)
        view = try #require(machine.scheduler.workflow(id))
        #expect(view.state == .succeeded && view.endedCount == 3)
        var filter = TaskFilter()
        filter.workflow = id
        let page = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 99)
        #expect(page.items.map(\.id) == [c, b, a])
        #expect(machine.scheduler.workflow(WorkflowID(first: TaskID(1))) == nil)
        #expect(machine.scheduler.workflow(WorkflowID(first: b)) == nil)
    }

    @Test
    func aGraphIsTakenAsAWholeOrNotAtAll() throws {
        var capacity = Capacity()
        capacity.tasks = 4
        var machine = Machine(capacity)
        let before = machine.scheduler.state.nextTask
        var graph = diamond
        graph.items[2].spec.after = [TaskID(99)]
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.missingDependency))
        graph = diamond
        graph.items[2].spec.start = .at(Limits.maxTime)
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.malformed))
        graph = diamond
        graph.items += [item(), item()]
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.full))
        graph.items[0].after = [0]
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.malformed), "a circle")
        #expect(try machine.run(.submitGraph(GraphSpec(items: []))) == .rejected(.malformed))
        #expect(machine.scheduler.state.nextTask == before)
    }

    @Test
    func aQueueTakesAllOfItOrNothing() throws {
        var machine = Machine()
        var spec = QueueSpec()
        spec.maxPending = 2
        _ = try machine.run(.putQueue(name: "narrow", spec, paused: true, isInitial: false))
        let inNarrow = item { $0.queue = "narrow" }
        let three = GraphSpec(items: [inNarrow, item(), inNarrow, inNarrow])
        #expect(try machine.run(.submitGraph(three)) == .rejected(.queueFull))
        #expect(machine.scheduler.queue("narrow")?.pending == 0)
        _ = try submit(GraphSpec(items: [inNarrow, item(), inNarrow]), &machine)
        #expect(machine.scheduler.queue("narrow")?.pending == 2)
    }

    @Test
    func theSameKeyGivesTheFirstWorkflow() throws {
        var machine = Machine()
        var graph = diamond
        graph.key = "k"
        let id = try submit(graph, &machine)
        #expect(try machine.run(.submitGraph(graph)) == .task(id.first, existed: true))
        graph.items[0].spec.priority = 9
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.keyConflict))
        #expect(try machine.run(.submit(.h { $0.key = "k" })) == .rejected(.keyConflict))
        #expect(machine.scheduler.state.nextTask == 4)
    }

    @Test
    func aFailureEndsWhatComesBehind() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        let id = try submit(
            GraphSpec(items: [
                item { $0.retry.attempts = 1 }, item(after: [0]), item(after: [1]),
                item(after: [2]) { $0.onDependencyFailure = .run },
            ]), &machine)
        try machine.finish(id.first, .error())
        let view = try #require(machine.scheduler.workflow(id))
        #expect(view.tasks.map(\.state) == [.dead, .cancelled, .cancelled, .running])
        try machine.finish(TaskID(4))
        #expect(machine.scheduler.workflow(id)?.state == .failed)
    }

    @Test
    func aPredecessorThatHasFailedAlreadyFailsTheGraph() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        let bad = try machine.submit(.h())
        try machine.run(.cancel(bad))
        let id = try submit(
            GraphSpec(items: [item { $0.after = [bad] }, item(after: [0])]), &machine)
        #expect(machine.scheduler.workflow(id)?.tasks.map(\.state) == [.cancelled, .cancelled])
    }

    @Test
    func aCancelledWorkflowStartsNothingMore() throws {
        var machine = Machine()
        try machine.register("w")
        let other = try machine.submit(.h { $0.priority = 0 })
        let id = try submit(
            GraphSpec(items: [
                item(), item(), item(after: [0]) { $0.onDependencyFailure = .run },
                item { $0.start = .after(milliseconds: 10) },
            ]), &machine)
        try machine.finish(other)
        let waiting = try machine.submit(.h { $0.priority = 0 })
        #expect(machine.state(id.first) == .running)
        #expect(try machine.run(.cancelWorkflow(id)) == .done)
        #expect(machine.assigned == [waiting], "the slot is for others")
        #expect(
            machine.scheduler.workflow(id)?.tasks.allSatisfy { $0.state == .cancelled } == true)
        #expect(try machine.run(.cancelWorkflow(id)) == .rejected(.wrongState))
        let none = WorkflowID(first: TaskID(77))
        #expect(try machine.run(.cancelWorkflow(none)) == .rejected(.notFound))
        try machine.advance(by: 1_000)
        #expect(machine.assigned.isEmpty)
    }

    @Test
    func whatIsForgottenCountsAsEnded() throws {
        var capacity = Capacity()
        capacity.finishedTasks = 1
        var machine = Machine(capacity)
        try machine.register("w", slots: 4)
        let id = try submit(diamond, &machine)
        try machine.finish(TaskID(1))
        try machine.finish(TaskID(2))
        let view = try #require(machine.scheduler.workflow(id))
        #expect(view.tasks.map(\.id) == [TaskID(2), TaskID(3)] && view.endedCount == 2)
        #expect(machine.state(TaskID(3)) == .running)
        try machine.run(.cancelWorkflow(id))
        #expect(machine.state(TaskID(3)) == .cancelled)
    }
}
