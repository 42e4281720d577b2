import Scheduler

/// The longest time that one portion of work takes beside many tasks. A node does at most one or a few of these in a turn
/// of its loop, and no turn shall take more than 5 ms.
struct LongestHolds {
    /// What all lists of a node may look at in one turn.
    private static let scanBudget = 20_000
    private static let firingsPerAdvance = 200
    private static let day: Milliseconds = 86_400_000

    private let options: BenchmarkOptions

    init(_ options: BenchmarkOptions) {
        self.options = options
    }

    func run() {
        Table.title("a portion of work, ms", ["median", "longest", "portions"])
        var bench = Workbench()
        load(&bench)
        lists(bench)
        explanations(bench)
        bulkJobs(&bench)
        schedules(&bench)
        var busy = Workbench()
        backlog(&busy)
        retention(&busy)
        keyLimits()
        quota()
    }

    private func show(_ name: String, _ portions: [UInt64]) {
        let sorted = portions.sorted()
        guard let longest = sorted.last else { return }
        Table.row(
            name,
            [
                Table.milliseconds(sorted[sorted.count / 2]), Table.milliseconds(longest),
                "\(sorted.count)",
            ])
    }

    private static func clocked(_ work: () -> Void) -> UInt64 {
        let begun = Workbench.nanoseconds()
        work()
        return Workbench.nanoseconds() - begun
    }

    /// Half of the tasks wait for their time, half in queues that are paused.
    private func load(_ bench: inout Workbench) {
        for queue in 0..<9 { bench.apply([.pauseQueue(name: "queue\(queue)")]) }
        let portions = bench.submit(options.tasks) { number in
            var spec = Workbench.task("handler\(number % 13)")
            spec.queue = number == 77 ? "rare" : "queue\(number % 9)"
            if number % 2 == 0 { spec.start = .after(milliseconds: Self.day) }
            if number % 10 == 0 {
                spec.meta = [Label(name: "customer", value: "c\(number % 1_000)")]
            }
            if number % 10 == 1 { spec.key = "order-\(number)" }
            if number % 3 == 0 { spec.expiresMilliseconds = 10 * Self.day }
            return spec
        }
        show("500 submissions, while they fill up", portions)
    }

    // MARK: Reads

    private func lists(_ bench: Workbench) {
        func list(_ name: String, _ change: (inout TaskFilter) -> Void) {
            var filter = TaskFilter()
            change(&filter)
            var before: TaskID?
            var portions: [UInt64] = []
            repeat {
                let time = Self.clocked {
                    let page = bench.scheduler.list(
                        filter, before: before, limit: 50, scanBudget: Self.scanBudget)
                    before = page.next
                }
                portions.append(time)
            } while before != nil && portions.count < 1_000
            show("list: \(name)", portions)
        }
        list("everything") { _ in }
        list("one in a million, by queue") { $0.queue = "rare" }
        list("nothing, by handler") { $0.handler = "none" }
        list("nothing, by text") { $0.text = "order-x" }
        list("nothing, by text that may be in ids") { $0.text = "t77777777" }
        list("nothing, by meta") { $0.meta = [Label(name: "customer", value: "none")] }
        list("nothing, by worker") { $0.worker = "none" }
        list("nothing, by state") { $0.states = [.dead] }
        let last = bench.time
        list("those created in the last 3 ms") { $0.since = last - 3 }
    }

    private func explanations(_ bench: Workbench) {
        let portions = (0..<1_000).map { number in
            let id = TaskID(UInt64(1 + number * 997 % options.tasks))
            return Self.clocked { _ = bench.scheduler.explain(id) }
        }
        show("explain", portions)
    }

    // MARK: Bulk jobs

    private func bulkJobs(_ bench: inout Workbench) {
        func job(_ name: String, _ spec: BulkSpec) {
            let first = bench.apply([.beginBulkJob(spec)])
            show("bulk: \(name)", [first] + bench.settle())
        }
        func filter(_ change: (inout TaskFilter) -> Void) -> TaskFilter {
            var filter = TaskFilter()
            change(&filter)
            return filter
        }
        job("cancel one in a million", BulkSpec(.cancel, filter { $0.queue = "rare" }))
        job("cancel a ninth", BulkSpec(.cancel, filter { $0.queue = "queue3" }))
        job("bring them back", BulkSpec(.retry, filter { $0.queue = "queue3" }))
        let copy = bench.scheduler.snapshotCopy()
        job(
            "cancel a ninth, while a copy is there",
            BulkSpec(.cancel, filter { $0.queue = "queue4" }))
        precondition(copy.appliedIndex < bench.scheduler.appliedIndex)
        for queue in 5..<9 {
            job("cancel queue \(queue)", BulkSpec(.cancel, filter { $0.queue = "queue\(queue)" }))
        }
        job("delete all that have ended", BulkSpec(.delete, filter { $0.states = [.cancelled] }))
        let portions = bench.submit(2_000) { number in
            var spec = Workbench.task("handler3")
            spec.queue = "queue\(number % 9)"
            return spec
        }
        show("500 submissions, after that", portions)
    }

    // MARK: Schedules

    private func schedules(_ bench: inout Workbench) {
        let hour: Milliseconds = 3_600_000
        let due = (bench.time / hour + 2) * hour
        let count = options.schedules
        var puts: [UInt64] = []
        for begin in stride(from: 0, to: count, by: 100) {
            bench.time += 1
            let commands = (begin..<min(count, begin + 100)).map { number in
                Command.putSchedule(
                    name: "schedule-\(number * 7_919 % count)",
                    ScheduleSpec(
                        timing: .every(milliseconds: hour), zone: "UTC", task: Workbench.task()),
                    paused: false, next: due)
            }
            puts.append(bench.apply(commands))
        }
        show("100 schedules put", puts)
        bench.time = due
        var looks: [UInt64] = []
        var firings: [UInt64] = []
        var found: [DueSchedule] = []
        repeat {
            let time = Self.clocked {
                found = bench.scheduler.dueSchedules(
                    at: bench.time, limit: Self.firingsPerAdvance)
            }
            looks.append(time)
            bench.time += 1
            let planned = found.map { schedule in
                Firing(
                    schedule: schedule.name, revision: schedule.revision,
                    expectedNext: schedule.next, nominal: schedule.next, missed: 0,
                    next: schedule.next + hour)
            }
            firings.append(bench.advance(planned))
        } while !found.isEmpty
        show("all due at once: \(Self.firingsPerAdvance) looked up", looks)
        show("all due at once: \(Self.firingsPerAdvance) fired", firings)
    }

    // MARK: A backlog

    /// More tasks than slots, worked off while others come.
    private func backlog(_ bench: inout Workbench) {
        bench.submit(options.tasks) { number in
            var spec = Workbench.task()
            spec.expiresMilliseconds = 10 * Self.day
            spec.cacheMilliseconds = number % 2 == 0 ? 1 : nil
            spec.payload = Array("\"\(number)\"".utf8)
            return spec
        }
        bench.register("w", slots: 500, handlers: ["echo"])
        var finishes = bench.finishes
        var ends: [UInt64] = []
        var submissions: [UInt64] = []
        while !finishes.isEmpty, ends.count < options.tasks / 500 {
            bench.time += 10
            ends.append(bench.apply(finishes))
            finishes = bench.finishes
            submissions.append(bench.apply([.submit(Workbench.task())]))
        }
        show("500 finished, and others started", ends)
        show("1 submission meanwhile", submissions)
    }

    private func retention(_ bench: inout Workbench) {
        var retention = Retention()
        retention.succeededMilliseconds = 2 * Self.day
        show("retention changed", [bench.apply([.setRetention(retention)])])
        bench.time += 3 * Self.day
        show("retention: dropped by age", bench.settle())
    }

    // MARK: What holds tasks back

    /// All tasks in one queue, each tenth of them of a customer of its own.
    private func keyLimits() {
        var bench = Workbench()
        func limit(_ concurrency: UInt32?, _ key: String = "meta.customer") -> UInt64 {
            var spec = QueueSpec()
            spec.limits = concurrency.map { [KeyLimit(key: key, concurrency: $0)] } ?? []
            return bench.apply([.putQueue(name: "keyed", spec, paused: nil, isInitial: false)])
        }
        _ = limit(100)
        bench.submit(options.tasks) { number in
            var spec = Workbench.task()
            spec.queue = "keyed"
            spec.meta = [Label(name: "customer", value: "c\(number / 10)")]
            return spec
        }
        show("key limit raised", [limit(200)])
        show("key limit lowered, still above what waits", [limit(20)])
        show("key limit lowered, most have to leave", [limit(1)])
        show("key limit raised, some get in", [limit(2)])
        show("key limit removed, all get in", [limit(nil)])
    }

    /// A namespace of which no more may run, with tasks in thousands of queues.
    private func quota() {
        var bench = Workbench()
        var quota = NamespaceQuota()
        quota.running = 8
        bench.apply([.putNamespace(name: "busy", quota)])
        bench.submit(min(options.tasks, 90_000)) { number in
            var spec = Workbench.task()
            spec.queue = "busy:queue\(number % 9_000)"
            return spec
        }
        bench.register("w", slots: 500, handlers: ["echo"])
        var ends: [UInt64] = []
        for _ in 0..<200 {
            bench.time += 10
            ends.append(bench.apply(Array(bench.finishes.prefix(1))))
        }
        show("finished in a full namespace of 9,000 queues", ends)
    }
}
