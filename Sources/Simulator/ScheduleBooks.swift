import Scheduler

/// Accounts for every nominal occurrence of every schedule. All schedules in a run are equivalent to multiples of a
/// period, moved by a phase, so the number of occurrences between two instants is plain arithmetic.
struct ScheduleBooks {
    /// What a schedule in a run may be timed by, and what it amounts to.
    struct Timing {
        let spec: ScheduleSpec.Timing
        let period: Milliseconds
        var phase: Milliseconds = 0

        func next(after instant: Milliseconds) -> Milliseconds {
            ((instant - phase) / period + 1) * period + phase
        }
    }

    static let timings: [Timing] = [
        Timing(spec: .every(milliseconds: 1_000), period: 1_000),
        Timing(spec: .every(milliseconds: 7_000, phase: 1_300), period: 7_000, phase: 1_300),
        Timing(spec: .cron("*/5 * * * * *"), period: 5_000),
        Timing(spec: .cron("* * * * *"), period: 60_000),
    ]

    static func timing(of spec: ScheduleSpec) -> Timing? {
        timings.first { $0.spec == spec.timing }
    }

    private struct Book {
        var period: Milliseconds
        var policy: SchedulePolicy
        /// `next` and the sum of all counters when the schedule was last put or resumed.
        var firstNext: Milliseconds?
        var baseTotal: UInt64
        /// Occurrences from `firstNext` on that the arithmetic has found counted.
        var accounted: UInt64 = 0
        /// What waited for others after the entry before this one.
        var buffered: Milliseconds?
    }

    private var books: [String: Book] = [:]
    private var occurrences: Set<String> = []
    /// How often a schedule of this name was deleted: one made anew may use an occurrence's name again.
    private var generations: [String: Int] = [:]
    private var owners: [TaskID: String] = [:]
    private var unfinished: [String: Set<TaskID>] = [:]
    private(set) var counts = Counts()
    private var firedByName: [String: Int] = [:]

    struct Counts {
        var fired = 0
        /// Ended without a task.
        var passed = 0
        var overlapping = 0
        var missed = 0
        var released = 0
        /// Instants that passed and were found counted, once each, while nobody changed the schedule.
        var accounted = 0
    }

    func firedCount(of name: String) -> Int { firedByName[name] ?? 0 }

    // MARK: An entry

    /// What stands in the entry at hand.
    private struct Page {
        /// Schedules that somebody changed or triggered in it: when, within the entry, is not asked.
        var changed: Set<String> = []
        /// Schedules that something in it is about.
        var touched: Set<String> = []
        var states: [TaskID: TaskState] = [:]
        /// Log time after it, and whether that is the time by which its leader planned.
        var time: Milliseconds
        var isPlannedTime: Bool
    }

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], at time: Milliseconds, _ state: Scheduler
    ) throws(Violation) {
        var page = Page(time: state.time, isPlannedTime: time == state.time)
        for request in requests {
            switch request.command {
            case .deleteSchedule(let name):
                generations[name, default: 0] += 1
                page.changed.insert(name)
            case .putSchedule(let name, _, _, _, _), .resumeSchedule(let name, _),
                .triggerSchedule(let name, _), .pauseSchedule(let name):
                page.changed.insert(name)
            default: continue
            }
        }
        for event in events { try note(event, &page, state) }
        for name in page.changed { rebase(name, state) }
        for request in requests {
            guard case .advance(let firings) = request.command else { continue }
            for firing in firings where !page.changed.contains(firing.schedule) {
                page.touched.insert(firing.schedule)
                try check(firing, state)
            }
        }
        for name in page.touched.union(page.changed).sorted() { try checkBuffer(name, state) }
    }

    private mutating func note(
        _ event: Event, _ page: inout Page, _ state: Scheduler
    ) throws(Violation) {
        switch event {
        case .taskChanged(let task, let new):
            page.states[task] = new
            guard let name = owners[task] else { return }
            page.touched.insert(name)
            if new.isFinal {
                unfinished[name]?.remove(task)
            } else {
                unfinished[name, default: []].insert(task)
            }
        case .scheduleFired(let name, let nominal, let task):
            page.touched.insert(name)
            if !page.changed.contains(name) { try checkFired(name, nominal, page) }
            try noteFired(
                name, nominal, task, state.task(task), isChanged: page.changed.contains(name))
            owners[task] = name
            if page.states[task].map({ !$0.isFinal }) ?? true {
                unfinished[name, default: []].insert(task)
            }
        case .occurrencesPassed(let name, let nominal, let count, let end, let reason):
            counts.passed += Int(count)
            guard !page.changed.contains(name) else { return }
            try checkPassed(name, nominal, count, end, reason, page)
        case .outcome, .assigned, .revoked, .workerChanged, .queueChanged: return
        }
    }

    private mutating func noteFired(
        _ name: String, _ nominal: Milliseconds, _ id: TaskID, _ task: TaskView?, isChanged: Bool
    ) throws(Violation) {
        guard let task, task.schedule == name, let occurrence = task.occurrence else {
            throw Violation("occurrences have tasks", "\(name) at \(nominal) has none")
        }
        counts.fired += 1
        firedByName[name, default: 0] += 1
        guard !isChanged else { return }
        let generation = generations[name] ?? 0
        guard occurrences.insert("\(generation) \(occurrence)").inserted else {
            throw Violation("an occurrence fires once", "\(occurrence) fired again as \(id)")
        }
    }

    private mutating func rebase(_ name: String, _ state: Scheduler) {
        guard !Registers.isRegister(name), let view = state.schedule(name),
            let timing = Self.timing(of: view.spec)
        else {
            books[name] = nil
            return
        }
        books[name] = Book(
            period: timing.period, policy: view.spec.policy, firstNext: view.next,
            baseTotal: view.total, buffered: view.buffered)
    }

    // MARK: Rules

    private mutating func checkFired(
        _ name: String, _ nominal: Milliseconds, _ page: Page
    ) throws(Violation) {
        guard let book = books[name] else { return }
        let others = unfinished[name] ?? []
        if !others.isEmpty {
            guard book.policy.overlap == .allow else {
                throw Violation(
                    "occurrences overlap only if they may",
                    "\(name) at \(nominal) begins beside \(others), \(book.policy.overlap)")
            }
            counts.overlapping += 1
        }
        if book.buffered == nominal {
            counts.released += 1
            return
        }
        guard page.isPlannedTime else { return }
        let later = later(than: nominal, book, page.time)
        guard Self.runs(book.policy, late: page.time - nominal, later: later) else {
            throw Violation(
                "what is caught up with is what the schedule says",
                "\(name) at \(nominal) runs at \(page.time), \(later) are due behind it, "
                    + "\(book.policy.catchUp)")
        }
    }

    private mutating func checkPassed(
        _ name: String, _ nominal: Milliseconds, _ count: UInt32, _ end: OccurrenceState,
        _ reason: OccurrenceReason, _ page: Page
    ) throws(Violation) {
        guard let book = books[name] else { return }
        if end == .missed { counts.missed += Int(count) }
        switch reason {
        case .overlap:
            guard book.policy.overlap == .skip || book.policy.overlap == .buffer,
                !(unfinished[name] ?? []).isEmpty
            else {
                throw Violation(
                    "occurrences are skipped for a reason",
                    "\(name) at \(nominal): nothing of it runs, or it may overlap")
            }
        case .late where page.isPlannedTime:
            let last = nominal + Milliseconds(count - 1) * book.period
            let later = later(than: last, book, page.time)
            guard !Self.runs(book.policy, late: page.time - last, later: later) else {
                throw Violation(
                    "what is caught up with is what the schedule says",
                    "\(name) at \(last) is missed at \(page.time), \(book.policy.catchUp)")
            }
        case .late, .repeated, .full, .payload, .backfill, .quota: return
        case .time, .trigger, .paused, .replaced:
            throw Violation(
                "occurrences are skipped for a reason", "\(name) at \(nominal): \(reason)")
        }
    }

    /// How many occurrences are due behind this one.
    private func later(
        than nominal: Milliseconds, _ book: Book, _ time: Milliseconds
    ) -> Milliseconds {
        max(0, (min(time, book.policy.until ?? .max) - nominal) / book.period)
    }

    /// Said anew: asking the policy itself would ask the code that is to be checked.
    private static func runs(
        _ policy: SchedulePolicy, late: Milliseconds, later: Milliseconds
    ) -> Bool {
        let isOnTime = late <= policy.graceMilliseconds
        return switch policy.catchUp {
        case .none: isOnTime
        case .latest: isOnTime || later < 1
        case .all(let count): isOnTime || later < Milliseconds(count)
        case .within(let longest): late <= longest
        }
    }

    private mutating func check(_ firing: Firing, _ state: Scheduler) throws(Violation) {
        guard let book = books[firing.schedule], let view = state.schedule(firing.schedule),
            let first = book.firstNext
        else { return }
        // At the end of a schedule the first instant that it does not have any more.
        let next =
            view.next
            ?? book.policy.until.map { first + (($0 - first) / book.period + 1) * book.period }
        guard let next else { return }
        let passed = next - first
        guard passed >= 0, passed % book.period == 0,
            UInt64(passed / book.period) == view.total - book.baseTotal
        else {
            throw Violation(
                "every occurrence is accounted for once",
                "\(firing.schedule): from \(first) to \(next) every \(book.period) ms, counted \(view.total - book.baseTotal)"
            )
        }
        let accounted = UInt64(passed / book.period)
        counts.accounted += Int(accounted - book.accounted)
        books[firing.schedule]?.accounted = accounted
    }

    private mutating func checkBuffer(_ name: String, _ state: Scheduler) throws(Violation) {
        guard books[name] != nil else { return }
        let buffered = state.schedule(name)?.buffered
        books[name]?.buffered = buffered
        if let buffered, (unfinished[name] ?? []).isEmpty {
            throw Violation(
                "what waits for others begins when they have ended",
                "\(name) at \(buffered) waits for nothing")
        }
    }
}

extension ScheduleView {
    /// All occurrences that have a recorded end or wait, triggered ones included.
    var total: UInt64 { ran + skipped + missed + expired + (buffered == nil ? 0 : 1) }
}
