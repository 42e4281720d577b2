import Testing

@testable import Scheduler

/// What holds after every entry of every log.
struct InvariantTests {
    @Test(arguments: 0..<80)
    func holdAfterEveryEntry(seed: UInt64) throws {
        var capacity = Capacity()
        if seed % 2 == 0 {
            capacity.finishedTasks = 30
            capacity.deadTasks = 8
            capacity.wakesPerAdvance = 5
            capacity.settlementsPerEntry = 1
            capacity.bulkLooksPerEntry = 20
            capacity.bulkActionsPerEntry = 3
        }
        var log = RandomLog(seed: 5_000 + seed)
        var machine = Machine(capacity)
        var ledger = Ledger()
        for _ in 0..<60 {
            try machine.apply(log.entry(for: &machine))
            ledger.note(machine.events)
            ledger.check(machine.scheduler, after: machine.events)
        }
        // Nothing but a schedule or a backfill stays due when an advance has done its work.
        if seed % 2 == 1 {
            try machine.advance(by: 100_000)
            ledger.note(machine.events)
            let isDone = machine.scheduler.nextWake.map { $0 > machine.time } ?? true
            let hasDue =
                !machine.scheduler.dueSchedules(at: machine.time, limit: 1).isEmpty
                || !machine.scheduler.dueBackfills(limit: 1).isEmpty
            #expect(isDone != hasDue)
        }
        // A restored state satisfies them as well.
        let restored = try Scheduler(
            snapshot: machine.scheduler.encodeSnapshot(), capacity: capacity)
        ledger.check(restored, after: [])
    }

    /// The random logs would prove little if they stayed in one corner.
    @Test
    func randomLogsReachEveryStateAndRejection() throws {
        var states: Set<TaskState> = []
        var rejections: Set<Rejection> = []
        var outcomes: Set<String> = []
        for seed in 0..<12 {
            var log = RandomLog(seed: UInt64(5_000 + seed))
            var machine = Machine()
            for _ in 0..<80 {
                try machine.apply(log.entry(for: &machine))
                for event in machine.events {
                    if case .taskChanged(_, let state) = event { states.insert(state) }
                    if case .outcome(_, _, _, .rejected(let reason)) = event {
                        rejections.insert(reason)
                    }
                }
            }
            for view in machine.scheduler.list(
                TaskFilter(), before: nil, limit: 5_000, scanBudget: 5_000
            ).items {
                outcomes.formUnion(view.attempts.map(\.outcome))
            }
        }
        #expect(states == Set(TaskState.allCases))
        #expect(
            rejections.isSuperset(of: [
                .notFound, .wrongState, .staleAttempt, .keyConflict, .staleIncarnation,
                .missingDependency,
            ]))
        #expect(
            outcomes == [
                "running", "succeeded", "failed", "timeout", "lost", "cancelled", "returned",
            ])
    }
}
