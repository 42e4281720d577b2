/// Instants at which something happens by itself, in one heap for each reason. An entry whose reason is gone (a
/// task that ended before its time-out) stays until it comes up, or until most entries are like it.
struct Wakes: Sendable {
    /// In the order in which they happen when they fall on the same millisecond.
    enum Reason: Int, CaseIterable, Sendable {
        /// A scheduled task is due.
        case due = 0
        /// A ready or blocked task may not start any more.
        case expiry = 1
        /// The worker should have reported the end of its attempt.
        case timeout = 2
        /// A succeeded, cancelled or expired task is dropped.
        case finished = 3
        case dead = 4
        /// A lost worker is forgotten.
        case worker = 5
        /// A schedule fires; entries name its revision. Happens by a `Firing`, not by itself.
        case schedule = 6
        /// A queue may start tasks again: a token is there, or its breaker lets probes through.
        case queue = 7
        /// A task's overall time-out is over.
        case deadline = 8
        /// There is a token again for a value under a key, or its bucket is full.
        case key = 9
    }

    private var heaps = [Heap](repeating: Heap(), count: Reason.allCases.count)

    mutating func push(_ reason: Reason, at instant: Milliseconds, id: UInt64) {
        heaps[reason.rawValue].push(key: UInt64(instant), id: id)
    }

    func top(_ reason: Reason) -> Heap.Entry? { heaps[reason.rawValue].top }

    mutating func pop(_ reason: Reason) { heaps[reason.rawValue].pop() }

    mutating func removeAll(_ reason: Reason) { heaps[reason.rawValue].removeAll() }

    /// In order, as far as `instant`, whether they still hold or not, until `body` is false.
    func visit(_ reason: Reason, through instant: Milliseconds, _ body: (Heap.Entry) -> Bool) {
        guard instant >= 0 else { return }
        heaps[reason.rawValue].visit(through: UInt64(instant), body)
    }

    /// Takes stale entries off the top, as long as they are not later than `instant`; afterwards a top that is not holds.
    mutating func clean(
        _ reason: Reason, through instant: Milliseconds, in state: ReplicatedState,
        _ names: Shards<UInt64, String>
    ) {
        while let top = heaps[reason.rawValue].top, top.key <= UInt64(instant),
            !state.holds(reason, top, names)
        {
            heaps[reason.rawValue].pop()
        }
    }

    /// Takes stale entries off the top, and out of the heap if `live` entries are few of it; so many that no entry of the
    /// log takes long. False if the top may still be one.
    mutating func tidy(
        _ reason: Reason, live: Int, in state: ReplicatedState, _ names: Shards<UInt64, String>
    ) -> Bool {
        heaps[reason.rawValue].tidy(live: live, looks: Self.looksPerEntry) {
            state.holds(reason, $0, names)
        }
        for _ in 0..<Self.stalePerEntry {
            guard let top = heaps[reason.rawValue].top, !state.holds(reason, top, names)
            else { return true }
            heaps[reason.rawValue].pop()
        }
        return heaps[reason.rawValue].top == nil
    }

    private static let looksPerEntry = Heap.runSize
    private static let stalePerEntry = 2_000

    /// Rounded up, so that forgetting a thousand things takes one log entry.
    static func housekeeping(after instant: Milliseconds) -> Milliseconds {
        let step = Limits.housekeepingMilliseconds
        return (instant + step - 1) / step * step
    }
}

extension ReplicatedState {
    /// When `reason` wakes the task; nil if it does not.
    func wakeTime(_ reason: Wakes.Reason, _ record: TaskRecord) -> Milliseconds? {
        switch (reason, record.state) {
        case (.due, .scheduled): record.dueAt
        case (.expiry, .ready), (.expiry, .blocked): expiryWake(record)
        case (.timeout, .running):
            record.startedAt + profiles[record.profile].timeoutMilliseconds
                + Limits.timeoutGraceMilliseconds
        case (.finished, .succeeded), (.finished, .cancelled), (.finished, .expired),
            (.dead, .dead):
            retentionMilliseconds(record).map { Wakes.housekeeping(after: record.finishedAt + $0) }
        case (.deadline, .scheduled), (.deadline, .ready), (.deadline, .running):
            record.extra?.fields.deadline
        default: nil
        }
    }

    /// How long the task is kept since it ended, if it has.
    private func retentionMilliseconds(_ record: TaskRecord) -> Milliseconds? {
        namespaces.retentionMilliseconds(
            record.state, ofQueue: profiles[record.profile].queue)
            ?? retention.milliseconds(record.state)
    }

    /// The first instant at which the task may not start any more. Once it was started it may be started again
    /// at any time.
    func expiryWake(_ record: TaskRecord) -> Milliseconds? {
        guard record.attempt == 0, let expires = profiles[record.profile].expiresMilliseconds
        else { return nil }
        return record.dueAt + expires + 1
    }

    /// Whether an entry of `Wakes` still has its reason.
    func holds(
        _ reason: Wakes.Reason, _ entry: Heap.Entry, _ names: Shards<UInt64, String>
    ) -> Bool {
        let wake: Milliseconds?
        switch reason {
        case .schedule:
            guard let name = names[entry.id], let position = schedules.position(of: name)
            else { return false }
            wake = schedules[position].wakeAt
        case .queue:
            guard Int(entry.id) < queues.slots.count,
                let record = queues.slots[Int(entry.id)].record
            else { return false }
            return record.opensAt.contains { UInt64($0) == entry.key }
        case .key:
            guard let bucket = keyBuckets[entry.id] else { return false }
            wake = bucket.wakeAt
        case .worker:
            guard Int(entry.id) < workers.slots.count,
                let worker = workers.record(UInt32(entry.id)), worker.state == .lost
            else { return false }
            wake = forgetTime(worker)
        default:
            guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
            wake = wakeTime(reason, tasks[position])
        }
        return wake.map { UInt64($0) == entry.key } ?? false
    }

    func forgetTime(_ worker: WorkerRecord) -> Milliseconds {
        Wakes.housekeeping(after: worker.lostAt + Limits.lostWorkerMemoryMilliseconds)
    }

    /// When the oldest key is forgotten.
    var keyWake: Milliseconds? {
        keys.first.map {
            Wakes.housekeeping(after: $0.rememberedAt + Limits.keyMemoryMilliseconds)
        }
    }
}
