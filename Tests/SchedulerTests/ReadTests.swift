import Testing

@testable import Scheduler

struct ReadTests {
    private func machine() throws -> Machine {
        var machine = Machine()
        try machine.register("w", slots: 1, handlers: ["h", "i"], tags: ["gpu"])
        for number in 0..<600 {
            machine.time += 1
            var spec = TaskSpec(handler: number % 3 == 0 ? "i" : "h")
            spec.queue = number % 2 == 0 ? "even" : "odd"
            spec.start = .after(milliseconds: 1_000_000)
            if number % 10 == 0 { spec.tags = ["gpu"] }
            if number % 7 == 0 {
                spec.meta = [Label(name: "a", value: "1"), Label(name: "b", value: "2")]
            }
            if number == 123 { spec.key = "some-key-ä" }
            if number == 300 { spec.start = .now }
            _ = try machine.submit(spec)
        }
        try machine.finish(TaskID(301), .error("disk is full", isRetryable: false))
        return machine
    }

    private func ids(_ machine: Machine, _ change: (inout TaskFilter) -> Void) -> [UInt64] {
        var filter = TaskFilter()
        change(&filter)
        var all: [UInt64] = []
        var before: TaskID?
        repeat {
            let page = machine.scheduler.list(filter, before: before, limit: 7, scanBudget: 40)
            #expect(page.items.count <= 7)
            all += page.items.map(\.id.number)
            before = page.next
        } while before != nil
        return all
    }

    @Test
    func listsEverythingNewestFirst() throws {
        #expect(ids(try machine()) { _ in } == (1...600).reversed())
    }

    @Test
    func filtersSelect() throws {
        let machine = try machine()
        func numbers(_ holds: (UInt64) -> Bool) -> [UInt64] { (1...600).reversed().filter(holds) }
        #expect(ids(machine) { $0.queue = "even" } == numbers { $0 % 2 == 1 })
        #expect(ids(machine) { $0.handler = "i" } == numbers { ($0 - 1) % 3 == 0 })
        #expect(ids(machine) { $0.tag = "gpu" } == numbers { ($0 - 1) % 10 == 0 })
        #expect(
            ids(machine) { $0.meta = [Label(name: "b", value: "2")] }
                == numbers { ($0 - 1) % 7 == 0 })
        #expect(ids(machine) { $0.meta = [Label(name: "b", value: "1")] }.isEmpty)
        #expect(ids(machine) { $0.states = [.dead] } == [301])
        #expect(ids(machine) { $0.states = [.ready, .running] }.isEmpty)
        #expect(ids(machine) { $0.worker = "w" } == [301])
        #expect(ids(machine) { $0.schedule = "s" }.isEmpty)
        #expect(ids(machine) { $0.text = "disk is" } == [301])
        #expect(ids(machine) { $0.text = "key-ä" } == [124])
        #expect(
            ids(machine) { $0.text = "t59" } == [
                599, 598, 597, 596, 595, 594, 593, 592, 591, 590, 59,
            ])
        #expect(
            ids(machine) {
                $0.since = 1_000_010
                $0.until = 1_000_013
            } == [12, 11, 10])
    }

    @Test
    func wholeChunksArePassedOverForOneUnitOfTheBudget() throws {
        let machine = try machine()
        var filter = TaskFilter()
        filter.states = [.running]
        let page = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 3)
        #expect(page.items.isEmpty && page.next == nil)
        let short = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 2)
        #expect(short.next == TaskID(256))
    }

    /// Times of creation rise with the numbers, so what lies outside is not looked at.
    @Test
    func timesBoundTheSearch() throws {
        let machine = try machine()
        var filter = TaskFilter()
        filter.until = 1_000_013
        filter.since = 1_000_010
        let page = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 260)
        #expect(page.items.count == 3 && page.next == nil && page.spent <= 256)
        filter.since = 1_000_590
        filter.until = nil
        let newest = machine.scheduler.list(filter, before: nil, limit: 99, scanBudget: 999)
        #expect(newest.items.count == 11 && newest.spent < 200)
        filter.until = 1
        filter.since = nil
        let none = machine.scheduler.list(filter, before: nil, limit: 9, scanBudget: 9)
        #expect(none.items.isEmpty && none.next == nil && none.spent == 0)
    }

    @Test
    func searchingTextCostsMore() throws {
        var machine = try machine()
        let long = String(repeating: "é", count: 2_000)
        let id = try machine.submit(.h { $0.handler = "i" })
        try machine.finish(id, .error(long + "ende", isRetryable: false))
        var filter = TaskFilter()
        filter.text = "ende"
        let page = machine.scheduler.list(filter, before: nil, limit: 1, scanBudget: 50)
        #expect(page.items.map(\.id) == [id] && page.spent > 60)
        filter.text = "éee"
        #expect(ids(machine) { $0.text = "éee" }.isEmpty)
    }

    @Test
    func capitalsMakeNoDifferenceToText() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.handler = "Resize-i" })
        for text in ["resize-", "RESIZE", "Resize-I", "T\(id.number)"] {
            #expect(ids(machine) { $0.text = text } == [id.number], "\(text)")
        }
        for text in ["[esize", "résize", "@esize-"] {
            #expect(ids(machine) { $0.text = text }.isEmpty, "\(text)")
        }
    }

    @Test
    func edgesOfTheList() throws {
        let machine = try machine()
        let filter = TaskFilter()
        #expect(
            machine.scheduler.list(filter, before: TaskID(1), limit: 5, scanBudget: 5).items.isEmpty
        )
        #expect(
            machine.scheduler.list(filter, before: TaskID(0), limit: 5, scanBudget: 5).next == nil)
        let page = machine.scheduler.list(filter, before: TaskID(6), limit: 5, scanBudget: 99)
        #expect(page.items.count == 5 && page.next == nil)
        let empty = Scheduler().list(filter, before: nil, limit: 5, scanBudget: 5)
        #expect(empty.items.isEmpty && empty.next == nil)
    }
}
