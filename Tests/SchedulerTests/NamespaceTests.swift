import Testing

@testable import Scheduler

struct NamespaceTests {
    private let shop = Namespace(name: "shop")

    private func task(
        _ queue: String = "shop:q", _ change: (inout TaskSpec) -> Void = { _ in }
    ) -> TaskSpec {
        .h {
            $0.queue = queue
            change(&$0)
        }
    }

    private func put(
        _ machine: inout Machine, _ name: String = "shop",
        _ change: (inout NamespaceQuota) -> Void = { _ in }
    ) throws {
        var quota = NamespaceQuota()
        change(&quota)
        let outcome = try machine.run(.putNamespace(name: name, quota))
        guard case .put = outcome else { throw Unexpected(outcome: outcome) }
    }

    // MARK: Names

    @Test(arguments: [
        ("mail", "default", "mail"), ("shop:mail", "shop", "mail"),
        ("s@2026-11-21T08:00:00.000Z", "default", "s@2026-11-21T08:00:00.000Z"),
        ("shop:s@2026-11-21T08:00:00.000Z", "shop", "s@2026-11-21T08:00:00.000Z"),
    ])
    func namesAreTakenApart(qualified: String, namespace: String, bare: String) {
        #expect(Namespace(of: qualified).name == namespace)
        #expect(Namespace.bare(qualified) == bare)
        #expect(Namespace(name: namespace).qualified(bare) == qualified)
        #expect(Namespace(name: namespace).holds(qualified))
        #expect(!Namespace(name: "sho").holds(qualified))
    }

    @Test
    func listsShowOneNamespaceAndPassOverOthers() throws {
        var machine = Machine()
        let names = ["a", "b", "c", "y", "z"]
        for space in ["default", "b", "shop", "shop2"] {
            let namespace = Namespace(name: space)
            for name in names {
                let qualified = namespace.qualified(name)
                try machine.run(.pauseQueue(name: qualified))
                try machine.run(.putTemplate(name: qualified, body: [0x7B, 0x7D]))
                let spec = ScheduleSpec(
                    timing: .every(milliseconds: 9), zone: "UTC", task: task(qualified))
                try machine.run(.putSchedule(name: qualified, spec, paused: true, next: nil))
            }
        }
        for space in ["default", "b", "shop", "shop2", "none"] {
            let namespace = Namespace(name: space)
            let wanted = space == "none" ? [] : names.map(namespace.qualified)
            func queues(_ after: String?, _ limit: Int) -> [String] {
                machine.scheduler.queues(in: namespace, after: after, limit: limit).map(\.name)
            }
            func schedules(_ after: String?, _ limit: Int) -> [String] {
                machine.scheduler.schedules(in: namespace, after: after, limit: limit).map(\.name)
            }
            func templates(_ after: String?, _ limit: Int) -> [String] {
                machine.scheduler.templates(in: namespace, after: after, limit: limit).map(\.name)
            }
            for list in [queues, schedules, templates] {
                #expect(list(nil, 99) == wanted)
                #expect(list(nil, 2) == Array(wanted.prefix(2)))
                #expect(list("b", 2) == Array(wanted.dropFirst(2).prefix(2)))
                #expect(list("bb", 9) == Array(wanted.dropFirst(2)))
                #expect(list("z", 9) == [])
            }
        }
    }

    // MARK: What there is

    @Test
    func aNamespaceIsThereWhileSomethingIsInIt() throws {
        var machine = Machine()
        func names() -> [String] {
            machine.scheduler.namespaces(after: nil, limit: 9).map(\.name)
        }
        let id = try machine.submit(task())
        #expect(names() == ["default", "shop"])
        #expect(machine.scheduler.namespace(of: id) == shop)
        #expect(try machine.run(.deleteNamespace(name: "shop")) == .rejected(.wrongState))
        try machine.run(.cancel(id))
        try machine.run(.deleteTask(id))
        #expect(names() == ["default"])
        try machine.run(.putTemplate(name: "t:x", body: [0x7B, 0x7D]))
        #expect(names() == ["default", "t"])
        try machine.run(.deleteTemplate(name: "t:x"))
        #expect(names() == ["default"])
        #expect(try machine.run(.deleteNamespace(name: "t")) == .rejected(.notFound))
        #expect(try machine.run(.deleteNamespace(name: "default")) == .rejected(.wrongState))
    }

    @Test
    func aDeletedNamespaceTakesItsIdleQueuesAlong() throws {
        var machine = Machine()
        try put(&machine)
        var limited = QueueSpec()
        limited.rate = RateLimit(count: 1, perMilliseconds: 1_000, burst: 1)
        try machine.run(.putQueue(name: "shop:q", limited, paused: nil, isInitial: false))
        try machine.register("w", slots: 2)
        let id = try machine.submit(task())
        try machine.finish(id)
        #expect(try machine.run(.deleteNamespace(name: "shop")) == .rejected(.wrongState))
        try machine.run(.deleteTask(id))
        #expect(try machine.run(.deleteNamespace(name: "shop")) == .done)
        #expect(machine.scheduler.queue("shop:q") == nil)
        #expect(machine.scheduler.namespace("shop") == nil)
        // The token that the queue waited for comes all the same.
        try machine.advance(by: 5_000)
        let next = try machine.submit(task())
        #expect(machine.state(next) == .running)
        try expectSameAfterRestore(machine)
    }

    private func expectSameAfterRestore(_ machine: Machine) throws {
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        #expect(
            restored.namespaces(after: nil, limit: 99)
                == machine.scheduler.namespaces(after: nil, limit: 99))
    }

    @Test
    func whatHasNoPlaceInANamespaceIsRefused() throws {
        var machine = Machine()
        for name in ["", "a:b", String(repeating: "x", count: 64)] {
            #expect(
                try machine.run(.putNamespace(name: name, NamespaceQuota()))
                    == .rejected(.malformed))
        }
        #expect(try machine.run(.submit(task(":q"))) == .rejected(.full))
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 9), zone: "UTC", task: task("other:q"))
        #expect(
            try machine.run(.putSchedule(name: "shop:s", spec, paused: false, next: nil))
                == .rejected(.malformed))
        let graph = GraphSpec(items: [.init(after: [], spec: task()), .init(after: [], spec: .h())])
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.malformed))
    }

    @Test
    func tasksOfOtherNamespacesCanNotBeWaitedFor() throws {
        var machine = Machine()
        let own = try machine.submit(task("shop:a"))
        let other = try machine.submit(.h())
        _ = try machine.submit(task { $0.after = [own] })
        #expect(
            try machine.run(.submit(task { $0.after = [own, other] }))
                == .rejected(.missingDependency))
        #expect(try machine.run(.submit(.h { $0.after = [own] })) == .rejected(.missingDependency))
        let graph = GraphSpec(items: [.init(after: [], spec: task { $0.after = [other] })])
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.missingDependency))
    }

    @Test
    func aKeyMeansSomethingWithinItsNamespaceOnly() throws {
        var machine = Machine()
        let first = try machine.submit(task { $0.key = "k" })
        let second = try machine.submit(.h { $0.key = "k" })
        let third = try machine.submit(task("other:q") { $0.key = "k" })
        #expect(first != second && second != third)
        #expect(
            try machine.run(.submit(task("shop:other") { $0.key = "k" }))
                == .task(first, existed: true))
    }

    @Test
    func whatRunsIsToldTheNamesWithinItsNamespace() throws {
        var machine = Machine()
        try machine.register("w")
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 9), zone: "UTC",
            task: task { $0.payload = Array("\"{{occurrence}}\"".utf8) })
        try machine.run(.putSchedule(name: "shop:s", spec, paused: true, next: nil))
        let outcome = try machine.run(.triggerSchedule(name: "shop:s"))
        guard case .task(let id, _) = outcome else { throw Unexpected(outcome: outcome) }
        let assignment = try #require(machine.current(id))
        #expect(assignment.namespace == shop && assignment.schedule == "s")
        #expect(assignment.occurrence?.hasPrefix("s@1970") == true)
        #expect(String(decoding: assignment.payload, as: UTF8.self).hasPrefix("\"s@1970"))
    }

    @Test
    func filtersPassOverOtherNamespaces() throws {
        var machine = Machine()
        let own = try machine.submit(task())
        let other = try machine.submit(.h())
        var filter = TaskFilter()
        func found() -> [TaskID] {
            machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 99).items.map(\.id)
        }
        #expect(found() == [other, own])
        filter.namespace = shop
        #expect(found() == [own])
        filter.namespace = .standard
        #expect(found() == [other])
    }

    // MARK: Quotas

    @Test
    func noMoreWaitThanMay() throws {
        var machine = Machine()
        try put(&machine) { $0.pending = 2 }
        let first = try machine.submit(task())
        _ = try machine.submit(task("shop:other") { $0.start = .after(milliseconds: 50) })
        #expect(try machine.run(.submit(task())) == .rejected(.namespaceFull))
        let graph = GraphSpec(items: [.init(after: [], spec: task())])
        #expect(try machine.run(.submitGraph(graph)) == .rejected(.namespaceFull))
        _ = try machine.submit(.h())
        let spec = ScheduleSpec(timing: .every(milliseconds: 9), zone: "UTC", task: task())
        try machine.run(.putSchedule(name: "shop:s", spec, paused: false, next: machine.time + 5))
        #expect(try machine.run(.triggerSchedule(name: "shop:s")) == .rejected(.namespaceFull))
        machine.time += 5
        let due = try #require(machine.scheduler.dueSchedules(at: machine.time, limit: 1).first)
        try machine.run(
            .advance([
                Firing(
                    schedule: due.name, revision: due.revision, expectedNext: due.next,
                    nominal: due.next, missed: 0, next: due.next + 9_000)
            ]))
        #expect(machine.scheduler.occurrences(of: "shop:s")?.first?.reason == .quota)
        try machine.run(.cancel(first))
        _ = try machine.submit(task())
        #expect(machine.scheduler.namespace("shop")?.pending == 2)
    }

    @Test
    func noMoreRunThanMayInAllQueuesTogether() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine) { $0.running = 2 }
        var ids: [TaskID] = []
        for place in 0..<5 { ids.append(try machine.submit(task("shop:q\(place)"))) }
        func running() -> Int { ids.count { machine.state($0) == .running } }
        #expect(running() == 2)
        let free = try machine.submit(.h())
        #expect(machine.state(free) == .running)
        let first = try #require(ids.first { machine.state($0) == .running })
        try machine.finish(first)
        #expect(running() == 2 && machine.state(first) == .succeeded)
        try expectSameAfterRestore(machine)
        try put(&machine) { $0.running = 1 }
        let second = try #require(ids.first { machine.state($0) == .running })
        try machine.finish(second)
        #expect(running() == 1)
        // Without the quota all start at once.
        try put(&machine)
        #expect(running() == 3)
        try put(&machine) { $0.running = 0 }
        let held = try machine.submit(task())
        #expect(machine.state(held) == .ready)
        let reasons = try #require(machine.scheduler.explain(held)).constraints
        #expect(reasons == [.quota(shop, running: 3, limit: 0)])
    }

    @Test
    func noMoreAreSubmittedThanTheRateAllows() throws {
        var machine = Machine()
        try put(&machine) {
            $0.submitRate = RateLimit(count: 2, perMilliseconds: 1_000, burst: 3)
        }
        let first = try machine.submit(task { $0.key = "k" })
        for _ in 0..<2 { _ = try machine.submit(task()) }
        #expect(try machine.run(.submit(task())) == .rejected(.namespaceRate))
        // What was there before is no submission, and other namespaces have nothing to do with it.
        #expect(
            try machine.run(.submit(task { $0.key = "k" })) == .task(first, existed: true))
        _ = try machine.submit(.h())
        machine.time += 499
        #expect(try machine.run(.submit(task())) == .rejected(.namespaceRate))
        machine.time += 1
        _ = try machine.submit(task())
        try expectSameAfterRestore(machine)
        // A workflow comes as a whole or not at all.
        machine.time += 1_000
        let items = (0..<3).map { _ in GraphSpec.Item(after: [], spec: task()) }
        #expect(
            try machine.run(.submitGraph(GraphSpec(items: items))) == .rejected(.namespaceRate))
        machine.time += 500
        let outcome = try machine.run(.submitGraph(GraphSpec(items: items)))
        guard case .task = outcome else { throw Unexpected(outcome: outcome) }
    }
}
