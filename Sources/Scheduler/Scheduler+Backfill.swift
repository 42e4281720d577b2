/// Occurrences in the past that are made up for, portion by portion: the leader proposes the next one when the one
/// before it is applied, so that other work goes on beside a backfill, and a failover loses no place in it.
extension Scheduler {
    /// - Parameter revision: Of the schedule by which the first occurrence was computed.
    mutating func startBackfill(
        _ name: String, revision: UInt64, _ wanted: Backfill
    ) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        let record = state.schedules[position]
        guard record.revision == revision, record.backfill?.state != .running else {
            return .rejected(.wrongState)
        }
        guard index.backfills.count < Limits.maxBackfills else { return .rejected(.full) }
        // What lies ahead fires by itself.
        let end = min(wanted.to, state.time, (record.next ?? .max) - 1)
        guard wanted.from <= end else { return .rejected(.malformed) }
        var backfill = Backfill(
            from: wanted.from, to: end, isSequential: wanted.isSequential, next: wanted.next)
        backfill.state = backfill.next == nil ? .done : .running
        backfill.startedAt = state.time
        backfill.finishedAt = backfill.next == nil ? state.time : nil
        state.schedules[position].backfill = backfill
        if backfill.state == .running { index.backfills.insert(name) }
        return .done
    }

    mutating func cancelBackfill(_ name: String) -> Outcome {
        guard let position = state.schedules.position(of: name) else {
            return .rejected(.notFound)
        }
        guard state.schedules[position].backfill?.state == .running else {
            return .rejected(.wrongState)
        }
        endBackfill(.cancelled, at: position)
        return .done
    }

    mutating func endBackfill(_ end: Backfill.State, at position: ScheduleTable.Position) {
        guard state.schedules[position].backfill?.state == .running else { return }
        state.schedules[position].backfill?.state = end
        state.schedules[position].backfill?.finishedAt = state.time
        index.backfills.remove(state.schedules[position].name)
    }

    /// Dropped if the state has moved on since the leader looked at it.
    mutating func fillBack(_ portion: BackfillPortion, _ events: inout [Event]) -> Outcome {
        guard let position = state.schedules.position(of: portion.schedule),
            state.schedules[position].revision == portion.revision,
            let backfill = state.schedules[position].backfill, backfill.state == .running,
            let first = portion.instants.first, first == backfill.next,
            portion.next.map({ $0 > portion.instants[portion.instants.count - 1] }) ?? true
        else { return .rejected(.wrongState) }
        for (place, instant) in portion.instants.enumerated() {
            guard instant <= backfill.to else { break }
            guard canGoOn(at: position) else { return .done }
            fillBack(instant, at: position, &events)
            let next =
                place + 1 < portion.instants.count ? portion.instants[place + 1] : portion.next
            state.schedules[position].backfill?.next = next.flatMap {
                $0 <= backfill.to ? $0 : nil
            }
        }
        if state.schedules[position].backfill?.next == nil { endBackfill(.done, at: position) }
        return .done
    }

    private mutating func fillBack(
        _ instant: Milliseconds, at position: ScheduleTable.Position, _ events: inout [Event]
    ) {
        let record = state.schedules[position]
        let occurrence = Occurrence.id(record.name, at: instant)
        guard !hasFired(occurrence, instant, record) else {
            state.schedules[position].backfill?.repeated += 1
            return
        }
        var task: TaskRecord
        do {
            // Due now: by its own time it would have expired, and gone ahead of all others.
            task = try occurrenceTask(of: record, occurrence, dueAt: state.time)
        } catch {
            state.schedules[position].backfill?.skipped += 1
            return
        }
        task.changeExtra { $0.isBackfilled = true }
        let id = create(task, &events)
        state.schedules[position].backfill?.ran += 1
        state.schedules[position].backfilled &+= 1
        state.schedules[position].history.append(
            ScheduleHistory.Entry(at: instant, .ran, .backfill, value: id.number))
    }

    /// As far as is known: its task is still there, or it is one of the last that ended, or waits.
    private func hasFired(
        _ occurrence: String, _ instant: Milliseconds, _ record: ScheduleRecord
    ) -> Bool {
        record.buffered == instant || index.occurrences[StableHash.of(occurrence)] != nil
            || record.history.entries.contains {
                $0.hasTask && $0.instant == instant && $0.reason != .trigger
            }
    }

    /// There is room for another task, and if they run one after the other, none is left of those before.
    private func canGoOn(at position: ScheduleTable.Position) -> Bool {
        let record = state.schedules[position]
        guard let backfill = record.backfill, state.tasks.count < capacity.tasks else {
            return false
        }
        if backfill.isSequential, index.unfinishedBackfills[record.name] != nil { return false }
        guard let space = index.namespaceNumbers[Namespace(of: record.name).name] else {
            preconditionFailure("schedule \(record.name) is in a namespace that is not there")
        }
        let queue = queueName(of: record)
        return hasRoom(forQueue: queue) && hasRoom(for: 1, inQueue: queue)
            && hasRoom(for: 1, inSpace: space)
    }

    private func queueName(of record: ScheduleRecord) -> String {
        var reader = ByteReader(record.spec)
        do {
            _ = try ScheduleRuleSpec(from: &reader)
            let layout = try SpecLayout(from: &reader)
            return try Profile(decoding: Array(record.spec[layout.profile])).queue
        } catch {
            preconditionFailure("schedule \(record.name) can't be decoded: \(error)")
        }
    }

    // MARK: Tasks

    mutating func noteOccurrence(_ record: TaskRecord) {
        guard let occurrence = record.extra?.fields.occurrence else { return }
        // A schedule that was deleted and made anew may have two tasks of one name.
        index.occurrences[StableHash.of(occurrence), default: 0] += 1
    }

    mutating func forgetOccurrence(_ record: TaskRecord) {
        guard let occurrence = record.extra?.fields.occurrence else { return }
        let hash = StableHash.of(occurrence)
        guard let count = index.occurrences[hash] else { return }
        index.occurrences[hash] = count > 1 ? count - 1 : nil
    }

    // MARK: For the leader

    /// Whether a backfill has something to do now.
    var hasDueBackfill: Bool {
        index.backfills.contains { name in
            state.schedules.position(of: name).map { canGoOn(at: $0) } ?? false
        }
    }

    /// Schedules whose backfills may go on, by name, at most `limit`; `next` is the backfill's.
    ///
    /// - Parameter passedOver: Revisions of schedules that are left out.
    public func dueBackfills(
        limit: Int, passingOver passedOver: Set<UInt64> = []
    ) -> [DueBackfill] {
        var due: [DueBackfill] = []
        for name in index.backfills.sorted() where due.count < limit {
            guard let position = state.schedules.position(of: name), canGoOn(at: position),
                !passedOver.contains(state.schedules[position].revision),
                let backfill = state.schedules[position].backfill, let next = backfill.next
            else { continue }
            due.append(
                DueBackfill(
                    schedule: dueSchedule(state.schedules[position], next), to: backfill.to,
                    maxInstants: backfill.isSequential ? 1 : BackfillPortion.maxInstants))
        }
        return due
    }
}

/// A backfill that may go on.
public struct DueBackfill: Equatable, Sendable {
    /// Its `next` is the backfill's.
    public var schedule: DueSchedule
    public var to: Milliseconds
    public var maxInstants: Int
}
