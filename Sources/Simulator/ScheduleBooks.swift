import Scheduler

/// Accounts for every nominal occurrence of every schedule. All schedules in a run are equivalent to
/// multiples of a period, so the number of occurrences between two instants is plain arithmetic.
struct ScheduleBooks {
    private struct Book {
        var period: Milliseconds
        /// `next` and the sum of all counters when the schedule was last put or resumed.
        var firstNext: Milliseconds?
        var baseTotal: UInt64
    }

    private var books: [String: Book] = [:]
    private var occurrences: Set<String> = []
    /// How often a schedule of this name was deleted: one made anew may use an occurrence's name again.
    private var generations: [String: Int] = [:]
    private(set) var firedCount = 0
    private var firedByName: [String: Int] = [:]

    func firedCount(of name: String) -> Int { firedByName[name] ?? 0 }

    /// The timing of schedules in a run, and the period it amounts to.
    static let timings: [(ScheduleSpec.Timing, Milliseconds)] = [
        (.every(milliseconds: 1_000), 1_000),
        (.every(milliseconds: 7_000), 7_000),
        (.cron("*/5 * * * * *"), 5_000),
        (.cron("* * * * *"), 60_000),
    ]

    static func period(of timing: ScheduleSpec.Timing) -> Milliseconds? {
        timings.first { $0.0 == timing }?.1
    }

    /// Takes in one entry: `requests` and `events` as they stand in it, `state` after it.
    mutating func note(
        _ requests: [Request], _ events: [Event], _ state: Scheduler
    ) throws(Violation) {
        var changed: [String] = []
        for request in requests {
            switch request.command {
            case .deleteSchedule(let name):
                generations[name, default: 0] += 1
                changed.append(name)
            case .putSchedule(let name, _, _, _), .resumeSchedule(let name, _),
                .triggerSchedule(let name):
                changed.append(name)
            default: continue
            }
        }
        for event in events {
            guard case .scheduleFired(let name, let nominal, let task) = event else { continue }
            try noteFired(name, nominal, state.task(task), isChanged: changed.contains(name))
        }
        for name in changed { rebase(name, state) }
        for request in requests {
            guard case .advance(let firings) = request.command else { continue }
            for firing in firings where !changed.contains(firing.schedule) {
                try check(firing, state)
            }
        }
    }

    private mutating func noteFired(
        _ name: String, _ nominal: Milliseconds, _ task: TaskView?, isChanged: Bool
    ) throws(Violation) {
        guard let task, task.schedule == name, let occurrence = task.occurrence else {
            throw Violation("occurrences have tasks", "\(name) at \(nominal) has none")
        }
        firedCount += 1
        firedByName[name, default: 0] += 1
        guard !isChanged else { return }
        let generation = generations[name] ?? 0
        guard occurrences.insert("\(generation) \(occurrence)").inserted else {
            throw Violation("an occurrence fires once", "\(occurrence) fired again as \(task.id)")
        }
    }

    private mutating func rebase(_ name: String, _ state: Scheduler) {
        guard let view = state.schedule(name), let period = Self.period(of: view.spec.timing)
        else {
            books[name] = nil
            return
        }
        books[name] = Book(period: period, firstNext: view.next, baseTotal: view.total)
    }

    private mutating func check(_ firing: Firing, _ state: Scheduler) throws(Violation) {
        guard let book = books[firing.schedule], let view = state.schedule(firing.schedule),
            let first = book.firstNext, let next = view.next
        else { return }
        let passed = next - first
        guard passed >= 0, passed % book.period == 0,
            UInt64(passed / book.period) == view.total - book.baseTotal
        else {
            throw Violation(
                "every occurrence is accounted for once",
                "\(firing.schedule): from \(first) to \(next) every \(book.period) ms, counted \(view.total - book.baseTotal)"
            )
        }
    }
}

extension ScheduleView {
    /// All occurrences that have a recorded end, triggered ones included.
    var total: UInt64 { ran + skipped + missed + expired }
}
