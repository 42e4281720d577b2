import Raft
import Scheduler

/// What a leader does for the state machine, which has no clock: it tells the time when something is due, and
/// declares workers lost whose beats are missed. Made anew with each term that this node leads.
struct LeaderDuties: Sendable {
    let term: Term
    /// The no-op of this term: before it is applied the local state may lag behind the log, and what seems due
    /// may be done already.
    let readyIndex: Index
    private let startedAt: Nanoseconds
    /// The wall clock's last tick before the term began. The term's milliseconds begin with it, or all that is due would
    /// be late by what was left of one.
    private let wallTickedAt: Nanoseconds
    private var startedAtWall: Milliseconds
    private(set) var lastHeard: [String: Nanoseconds] = [:]
    /// The index of the last proposed `advance`: the next one waits until it is applied.
    private var advanceIndex: Index = 0
    /// Revisions of schedules that were due and whose times this node can't compute. They stay due, so that their
    /// occurrences are caught up with when another node leads, and must neither fill the log with advances nor
    /// take the places of those that can fire.
    private(set) var passedOver: Set<UInt64> = []
    /// Those of them that were told of already.
    private var toldOf: Set<UInt64> = []
    private var nextTrial: Nanoseconds = 0
    /// When the first of the other schedules is due, as of the last look.
    private var scheduleWake: Milliseconds?
    private var nextLook: Nanoseconds = 0
    private var nextWorkerCheck: Nanoseconds
    /// The last proposal about members or versions: the next one waits until it is applied.
    var memberProposal: Index = 0
    /// Once in a term is enough, unless somebody takes back what was said of a queue: what a leader proposes is committed, or
    /// it leads no more.
    private var areQueuesProposed = false
    private var isRetentionProposed = false
    /// workerLost proposals under way, with their log index.
    private var lostProposals: [String: Index] = [:]

    /// Within a term time comes from the monotonic clock alone, so a jump of the wall clock fires nothing.
    init(term: Term, readyIndex: Index, clock: Clock, stateTime: Milliseconds) {
        self.term = term
        self.readyIndex = readyIndex
        startedAt = clock.monotonic
        startedAtWall = max(clock.wall, stateTime)
        wallTickedAt = clock.monotonic - min(clock.wallRemainder, clock.monotonic)
        nextWorkerCheck = clock.monotonic
    }

    /// `now` may lie before the term began: whoever asks may have looked at the clock when the turn began, and the
    /// election was won by a message that was handled since.
    func time(at now: Nanoseconds) -> Milliseconds {
        startedAtWall + Milliseconds((max(now, startedAt) - wallTickedAt) / 1_000_000)
    }

    /// Entries of earlier terms that were not applied at the election may bear a later time than this node's
    /// clock. Without going on from there nothing would be due until the clock has caught up.
    mutating func catchUp(with stateTime: Milliseconds, at now: Nanoseconds) {
        startedAtWall += max(0, stateTime - time(at: now))
    }

    /// The first monotonic instant at which `time` is not before `wake`; the last there is for what lies further ahead than
    /// nanoseconds reach, which is 584 years: a schedule may name the year 9999.
    private func instant(of wake: Milliseconds) -> Nanoseconds {
        let (length, isTooLong) = Nanoseconds(max(0, wake - startedAtWall))
            .multipliedReportingOverflow(by: 1_000_000)
        let (instant, isTooLate) = wallTickedAt.addingReportingOverflow(length)
        return isTooLong || isTooLate ? .max : instant
    }

    mutating func heard(_ worker: String, at now: Nanoseconds) { lastHeard[worker] = now }

    /// The leader's own time when an `advance` has to be proposed now.
    mutating func advanceTime(
        nextWake: Milliseconds?, applied: Index, now: Nanoseconds
    ) -> Milliseconds? {
        guard applied >= readyIndex, applied >= advanceIndex, let nextWake else { return nil }
        let time = time(at: now)
        guard nextWake <= time else { return nil }
        return time
    }

    mutating func advanceProposed(at index: Index) { advanceIndex = index }

    /// What is due happens in this entry: thousands of tasks may start.
    func isAdvance(at index: Index) -> Bool { index == advanceIndex }

    /// How long a schedule is passed over before it is tried again: somebody may have brought the time zones up to date.
    static let trialNanoseconds: Nanoseconds = 60_000_000_000

    /// Leaves these schedules out from now on.
    ///
    /// - Returns: Those that are passed over for the first time.
    mutating func passOver(_ schedules: [DueSchedule], now: Nanoseconds) -> [DueSchedule] {
        guard !schedules.isEmpty else { return [] }
        if passedOver.isEmpty { nextTrial = now + Self.trialNanoseconds }
        passedOver.formUnion(schedules.map(\.revision))
        nextLook = now
        return schedules.filter { toldOf.insert($0.revision).inserted }
    }

    /// To be called before anything is planned.
    mutating func tryPassedOver(now: Nanoseconds) {
        guard !passedOver.isEmpty, now >= nextTrial else { return }
        toldOf = passedOver
        passedOver = []
    }

    /// What this leader has to see to next, as far as it can.
    func nextWake(_ scheduler: Scheduler) -> Milliseconds? {
        guard !passedOver.isEmpty else { return scheduler.nextWake }
        guard let scheduleWake else { return scheduler.nextWakeBesidesSchedules }
        return min(scheduleWake, scheduler.nextWakeBesidesSchedules ?? .max)
    }

    private static let lookNanoseconds: Nanoseconds = 100_000_000

    /// Looks past those that are passed over, as many as there may be, not in every turn: a schedule that is put may
    /// be seen a little later. But what was seen to be due is looked at again, once an `advance` has been applied.
    mutating func lookAtSchedules(_ scheduler: Scheduler, applied: Index, now: Nanoseconds) {
        guard !passedOver.isEmpty, applied >= advanceIndex else { return }
        guard now >= nextLook || scheduleWake.map({ $0 <= time(at: now) }) ?? false else { return }
        scheduleWake = scheduler.nextScheduleWake(passingOver: passedOver)
        nextLook = now + Self.lookNanoseconds
    }

    mutating func lossProposed(of worker: String, at index: Index) {
        lostProposals[worker] = index
    }

    /// Workers to be declared lost. A worker never heard counts from the begin of the term.
    mutating func lostWorkers(
        _ scheduler: Scheduler, own: WorkerSpec, applied: Index, timeout: Nanoseconds,
        now: Nanoseconds
    ) -> [WorkerSpec] {
        guard applied >= readyIndex, now >= nextWorkerCheck else { return [] }
        nextWorkerCheck = now + timeout / 40
        var lost: [WorkerSpec] = []
        for worker in scheduler.workers() where worker.state != .lost {
            // This node is here. A former one of its name may be anywhere.
            if worker.spec.id == own.id,
                Incarnation.areOfOneDirectory(worker.spec.incarnation, own.incarnation)
            {
                continue
            }
            let heard = max(lastHeard[worker.spec.id] ?? 0, startedAt)
            guard heard + timeout <= now else { continue }
            if let proposed = lostProposals[worker.spec.id], applied < proposed { continue }
            lost.append(worker.spec)
        }
        return lost
    }

    /// What was said of a queue may have been taken back: of the configuration's queues it holds again what stands there.
    mutating func queueChanged(_ name: String, _ scheduler: Scheduler) {
        if !scheduler.isQueueDeclared(name) { areQueuesProposed = false }
    }

    /// Those of the configuration's queues that nobody has declared; nothing but once.
    mutating func undeclared(
        _ queues: [InitialQueue], _ scheduler: Scheduler, applied: Index
    ) -> [InitialQueue] {
        guard !areQueuesProposed, applied >= readyIndex else { return [] }
        areQueuesProposed = true
        return queues.filter { !scheduler.isQueueDeclared($0.name) }
    }

    /// The configuration's retention, if another one holds; nothing but once.
    mutating func changed(
        _ retention: Retention, _ scheduler: Scheduler, applied: Index
    ) -> Retention? {
        guard !isRetentionProposed, applied >= readyIndex else { return nil }
        isRetentionProposed = true
        return retention == scheduler.retention ? nil : retention
    }

    /// May this worker go on with what is assigned to it? Not while its loss is proposed, or done: its work
    /// may be somebody else's, which it learns from the log only. And not before this term's first entry
    /// is applied: an earlier leader may have declared it lost.
    func mayKeep(_ worker: String, _ scheduler: Scheduler, applied: Index) -> Bool {
        guard applied >= readyIndex else { return false }
        if let proposed = lostProposals[worker], applied < proposed { return false }
        return scheduler.workerStanding(worker)?.state != .lost
    }

    func nextDeadline(nextWake: Milliseconds?, applied: Index) -> Nanoseconds {
        guard applied >= readyIndex else { return .max }
        guard let nextWake, applied >= advanceIndex else { return nextWorkerCheck }
        return min(nextWorkerCheck, instant(of: nextWake))
    }
}
