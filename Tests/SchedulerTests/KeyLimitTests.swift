import Testing

@testable import Scheduler

struct KeyLimitTests {
    private func put(
        _ machine: inout Machine, _ limits: KeyLimit...,
        change: (inout QueueSpec) -> Void = { _ in }
    ) throws {
        var spec = QueueSpec()
        spec.limits = limits
        change(&spec)
        let outcome = try machine.run(
            .putQueue(name: "q", spec, paused: nil, isInitial: false))
        #expect(outcome == .done)
    }

    private func customer(
        _ name: String, _ change: (inout TaskSpec) -> Void = { _ in }
    ) -> TaskSpec {
        .h {
            $0.queue = "q"
            $0.payload = Array("{\"customer\":\"\(name)\"}".utf8)
            change(&$0)
        }
    }

    private let one = KeyLimit(key: "payload.customer", concurrency: 1)

    // MARK: Concurrency

    @Test
    func tasksOfOneValueRunOneAtATime() throws {
        var machine = Machine()
        try machine.register("w", slots: 10)
        try put(&machine, one)
        let a = try (0..<3).map { _ in try machine.submit(customer("a")) }
        let b = try machine.submit(customer("b"))
        #expect(a.map { machine.state($0) } == [.running, .ready, .ready])
        #expect(machine.state(b) == .running)
        #expect(machine.scheduler.queue("q")?.held == 2)
        #expect(
            machine.scheduler.keyHolds(on: a[1]) == [
                KeyHold(key: "payload.customer", value: "a", running: 1, nextTokenAt: nil)
            ])
        try machine.finish(a[0])
        #expect(machine.assigned == [a[1]])
        try machine.finish(a[1], .error("no", isRetryable: false))
        #expect(machine.assigned == [a[2]])
        #expect(machine.scheduler.queue("q")?.held == 0)
        try machine.finish(a[2])
        try machine.finish(b)
        #expect(machine.scheduler.index.keyGates.gates.isEmpty)
        #expect(machine.scheduler.index.keyGates.groups.isEmpty)
    }

    @Test
    func tasksWithoutAValueAreNotBounded() throws {
        var machine = Machine()
        try machine.register("w", slots: 10)
        try put(&machine, one)
        for payload in ["null", "{}", "{\"customer\":null}", "[1]", "{\"x\":{\"customer\":1}}"] {
            let ids = try (0..<2).map { _ in
                try machine.submit(customer("") { $0.payload = Array(payload.utf8) })
            }
            #expect(ids.allSatisfy { machine.state($0) == .running }, "\(payload)")
            for id in ids { try machine.finish(id) }
        }
    }

    @Test(arguments: [
        ("payload.a", "{\"a\":7}", "7"),
        ("payload.a", " { \"b\" : [1,{\"a\":2}], \"a\" : true }", "true"),
        ("payload.a.b", "{\"a\":{\"c\":\"}\\\"\",\"b\":\"x y\"}}", "x y"),
        ("payload.a", "{\"a\":{\"b\": [1]}}", "{\"b\": [1]}"), ("payload.a", "{\"a\":\"\"}", ""),
        ("meta.tenant", "null", "t"),
    ])
    func valuesAreFoundWhereTheyStand(key: String, payload: String, value: String) {
        let limit = KeyLimit(key: key, concurrency: 1)
        let found = limit.value(
            payload: Array(payload.utf8), meta: [Label(name: "tenant", value: "t")])
        #expect(found == value)
    }

    @Test(arguments: [
        "", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":\"x\\", "[[[[", "}",
        "{\"b\":1,",
        "{\"b\"}", "{\"b\":]}", "{\"b\" 1}",
    ])
    func whatIsNoJSONNeverTraps(payload: String) {
        let limit = KeyLimit(key: "payload.a", concurrency: 1)
        #expect(limit.value(payload: Array(payload.utf8), meta: [])?.utf8.count ?? 0 < 3)
    }

    @Test
    func longValuesCountByTheirHashes() {
        let limit = KeyLimit(key: "payload.a", concurrency: 1)
        func value(_ text: String) -> String? {
            limit.value(payload: Array("{\"a\":\"\(text)\"}".utf8), meta: [])
        }
        let long = String(repeating: "x", count: 300)
        #expect(value(long) == value(long) && value(long) != value(long + "y"))
        #expect(value(long)?.utf8.count ?? 999 <= 17)
    }

    /// The busy customer's tasks are in no lane, so nobody goes through them to find what may start.
    @Test
    func aBusyValueStandsInNobodysWay() throws {
        var machine = Machine()
        try machine.register("w", slots: 3)
        try put(&machine, one)
        let busy = try machine.run((0..<5_000).map { _ in .submit(customer("a")) })
        #expect(busy.count == 5_000)
        #expect(machine.scheduler.index.dispatch.waitingCount == 0)
        let b = try machine.submit(customer("b"))
        #expect(machine.assigned == [b])
        for number in 1...20 {
            try machine.finish(TaskID(UInt64(number)))
            #expect(machine.assigned == [TaskID(UInt64(number + 1))])
        }
        #expect(machine.scheduler.queue("q")?.held == 5_000 - 21)
    }

    @Test
    func higherPriorityAndEarlierTimeGoFirstAmongThoseHeldBack() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, one)
        let first = try machine.submit(customer("a"))
        let low = try machine.submit(customer("a") { $0.priority = 1 })
        let high = try machine.submit(customer("a") { $0.priority = 9 })
        try machine.finish(first)
        #expect(machine.assigned == [high])
        try machine.finish(high)
        #expect(machine.assigned == [low])
    }

    @Test
    func whatLeavesGivesItsPlaceBack() throws {
        var machine = Machine()
        try put(&machine, one)
        // Nobody can run them: the first holds the place while it waits in its lane.
        let ids = try (0..<4).map { _ in try machine.submit(customer("a")) }
        #expect(machine.scheduler.queue("q")?.held == 3)
        try machine.run(.cancel(ids[0]))
        #expect(machine.scheduler.queue("q")?.held == 2)
        try machine.run(.cancel(ids[2]))
        try machine.register("w", slots: 9)
        #expect(machine.assigned == [ids[1]])
        try machine.run(.workerLost(id: "w", incarnation: 1))
        #expect(machine.state(ids[1]) == .ready)
        #expect(machine.scheduler.queue("q")?.held == 1)
        try machine.register("w", incarnation: 2, slots: 9)
        #expect(machine.assigned == [ids[1]])
        try machine.finish(ids[1], .returned)
        #expect(machine.assigned.count == 1)
        try machine.finish(ids[1])
        #expect(machine.assigned == [ids[3]])
    }

    @Test
    func expiryOfAHeldTaskIsKept() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, one)
        let first = try machine.submit(customer("a"))
        let short = try machine.submit(customer("a") { $0.expiresMilliseconds = 500 })
        let last = try machine.submit(customer("a"))
        try machine.advance(by: 501)
        #expect(machine.state(short) == .expired)
        try machine.finish(first)
        #expect(machine.assigned == [last])
    }

    /// Its place gets free by something that fills no slot, so this comes at the very end of the entry.
    @Test
    func whoeverIsToldOfTheExpiryIsToldInTheSameEntry() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, one)
        let first = try machine.submit(customer("a") { $0.handler = "none" })
        let short = try machine.submit(
            customer("a") {
                $0.expiresMilliseconds = 500
                $0.webhook = "http://h1"
            })
        machine.time += 501
        try machine.run(.cancel(first))
        #expect(machine.state(short) == .expired)
        var filter = TaskFilter()
        filter.handler = Webhook.handler
        let notices = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 99).items
        #expect(notices.count == 1)
    }

    // MARK: Rate

    @Test
    func rateHoldsWhenNobodyElseHasTheValue() throws {
        var machine = Machine()
        try machine.register("w", slots: 10)
        let rate = RateLimit(count: 1, perMilliseconds: 1_000, burst: 1)
        try put(&machine, KeyLimit(key: "payload.customer", rate: rate))
        let first = try machine.submit(customer("a"))
        try machine.finish(first)
        let second = try machine.submit(customer("a"))
        #expect(machine.state(second) == .ready)
        try machine.advance(by: 1_000)
        #expect(machine.state(second) == .running)
    }

    @Test
    func rateHoldsForEachValue() throws {
        var machine = Machine()
        try machine.register("w", slots: 99)
        let rate = RateLimit(count: 2, perMilliseconds: 1_000, burst: 1)
        try put(&machine, KeyLimit(key: "payload.customer", rate: rate))
        let a = try (0..<4).map { _ in try machine.submit(customer("a")) }
        let b = try machine.submit(customer("b"))
        #expect(machine.state(b) == .running)
        #expect(machine.scheduler.keyHolds(on: a[1]).first?.nextTokenAt == machine.time + 500)
        for id in a[1...] {
            #expect(machine.state(id) == .ready)
            try machine.advance(by: 499)
            #expect(machine.state(id) == .ready)
            try machine.advance(by: 1)
            #expect(machine.assigned == [id])
        }
        #expect(machine.scheduler.state.keyBuckets.count == 1)
        try machine.advance(by: 3_000)
        #expect(machine.scheduler.state.keyBuckets.count == 0)
        for id in a + [b] { try machine.finish(id) }
        #expect(machine.scheduler.nextWake ?? 0 >= machine.time + 86_000_000)
    }

    @Test
    func burstStartsAtOnce() throws {
        var machine = Machine()
        try machine.register("w", slots: 99)
        let rate = RateLimit(count: 1, perMilliseconds: 10_000, burst: 3)
        try put(&machine, KeyLimit(key: "payload.customer", rate: rate))
        let ids = try machine.run((0..<5).map { _ in .submit(customer("a")) })
        #expect(ids.count == 5 && machine.assigned.count == 3)
        try machine.advance(by: 10_000)
        #expect(machine.assigned == [TaskID(4)])
    }

    // MARK: Several keys

    @Test
    func everyKeyHasToBeFree() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, one, KeyLimit(key: "payload.shop", concurrency: 1))
        func spec(_ customer: String, _ shop: String) -> TaskSpec {
            self.customer("") {
                $0.payload = Array("{\"customer\":\"\(customer)\",\"shop\":\"\(shop)\"}".utf8)
            }
        }
        let ax = try machine.submit(spec("a", "x"))
        let ay = try machine.submit(spec("a", "y"))
        let bx = try machine.submit(spec("b", "x"))
        let by = try machine.submit(spec("b", "y"))
        #expect(
            [ax, ay, bx, by].map { machine.state($0) } == [.running, .ready, .ready, .running])
        try machine.finish(ax)
        // b and y are busy.
        #expect(machine.assigned.isEmpty)
        try machine.finish(by)
        #expect(Set(machine.assigned) == [ay, bx])
    }

    // MARK: Rules

    @Test
    func otherFiguresHoldForThoseThatWait() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, KeyLimit(key: "payload.customer", concurrency: 2))
        let ids = try (0..<6).map { _ in try machine.submit(customer("a")) }
        #expect(machine.scheduler.queue("q")?.running == 2)
        try put(&machine, KeyLimit(key: "payload.customer", concurrency: 1))
        try machine.finish(ids[0])
        #expect(machine.assigned.isEmpty)
        try machine.finish(ids[1])
        #expect(machine.assigned == [ids[2]])
        try put(&machine, KeyLimit(key: "payload.customer", concurrency: 3))
        #expect(machine.assigned == [ids[3], ids[4]])
        try put(&machine)
        #expect(machine.assigned == [ids[5]])
        #expect(machine.scheduler.queue("q")?.held == 0)
    }

    @Test
    func stricterRulesTakePlacesInLanesBack() throws {
        var machine = Machine()
        try put(&machine, KeyLimit(key: "payload.customer", concurrency: 4))
        let ids = try (0..<6).map { _ in try machine.submit(customer("a")) }
        #expect(machine.scheduler.queue("q")?.held == 2)
        try put(&machine, one)
        #expect(machine.scheduler.queue("q")?.held == 5)
        try machine.register("w", slots: 9)
        #expect(machine.assigned == [ids[0]])
    }

    @Test
    func schedulesAndWorkflowsAreBoundedAsWell() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try put(&machine, one)
        let spec = ScheduleSpec(
            timing: .every(milliseconds: 1_000), zone: "UTC", task: customer("a"))
        try machine.run(.putSchedule(name: "s", spec, paused: false, next: nil))
        for _ in 0..<2 {
            machine.time += 1
            try machine.run(.triggerSchedule(name: "s"))
        }
        try machine.run(
            .submitGraph(GraphSpec(items: [.init(after: [], spec: customer("a"))], key: nil)))
        #expect(machine.scheduler.queue("q")?.running == 1)
        #expect(machine.scheduler.queue("q")?.held == 2)
    }

    // MARK: Snapshots

    @Test
    func whoHasThePlaceIsKnownAfterARestart() throws {
        var machine = Machine()
        let rate = RateLimit(count: 1, perMilliseconds: 5_000, burst: 2)
        try put(&machine, KeyLimit(key: "payload.customer", concurrency: 1, rate: rate))
        // The later one has the place, for the earlier one was away.
        let early = try machine.submit(customer("a") { $0.start = .after(milliseconds: 10) })
        let late = try machine.submit(customer("a"))
        try machine.advance(by: 10)
        #expect(machine.scheduler.queue("q")?.held == 1)
        var other = machine
        other.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        for _ in 0..<2 {
            try machine.register("w", slots: 9)
            #expect(machine.assigned == [late])
            try machine.finish(late)
            #expect(machine.assigned == [early])
            swap(&machine, &other)
        }
        #expect(machine.scheduler.stateHash() == other.scheduler.stateHash())
    }
}
