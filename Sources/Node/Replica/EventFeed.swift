import Raft
import Scheduler

/// What happened lately, in the order of the log, for whoever wants to be told.
///
/// An event is named by the entry that brought it about and its place in there. These names are the same on all nodes,
/// so who followed one node goes on with another where it was. What is held is bounded; an older name is known to be
/// lost.
public struct EventFeed: Sendable {
    /// As text `index-place`.
    public struct Position: Comparable, Sendable, CustomStringConvertible {
        public var index: Index
        public var place: UInt32

        public init(index: Index, place: UInt32) {
            self.index = index
            self.place = place
        }

        /// Parses `description`; nil if the text is no position.
        public init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let index = Index(parts[0]), let place = UInt32(parts[1]),
                "\(index)-\(place)" == text
            else { return nil }
            self.init(index: index, place: place)
        }

        public var description: String { "\(index)-\(place)" }

        public static func < (left: Position, right: Position) -> Bool {
            (left.index, left.place) < (right.index, right.place)
        }
    }

    public enum What: Equatable, Sendable {
        /// `TaskSubject` is nil if the task was dropped in the same entry.
        case task(TaskID, TaskState, TaskSubject?)
        case scheduleFired(String, nominal: Milliseconds, TaskID)
        /// So many from `nominal` on ended without a task.
        case occurrencesPassed(
            String, nominal: Milliseconds, count: UInt32, OccurrenceState, OccurrenceReason)
        case queue(QueueStanding)
        /// The state is nil if the worker is not known any more.
        case worker(String, WorkerView.State?)
    }

    public struct Record: Equatable, Sendable {
        public var position: Position
        /// Log time.
        public var time: Milliseconds
        public var what: What
    }

    private let capacity: Int
    /// Once full, the oldest stands at `oldest`, and is overwritten next.
    private var ring: [Record] = []
    private var oldest = 0
    /// What is up to here is not held any more, or never was.
    public private(set) var lostThrough: Position
    /// Nothing has happened behind it.
    public private(set) var last: Position

    /// - Parameters:
    ///   - capacity: 0: nothing is held.
    ///   - applied: what happened up to this index is not known.
    init(capacity: Int, applied: Index) {
        self.capacity = capacity
        lostThrough = Position(index: applied, place: .max)
        last = lostThrough
    }

    /// Notes what applying the entry at `index` brought about. `scheduler` has applied just that.
    mutating func note(_ events: [Event], at index: Index, in scheduler: Scheduler) {
        guard capacity > 0 else { return }
        var place: UInt32 = 0
        for event in events {
            guard let what = Self.what(event, scheduler) else { continue }
            append(
                Record(
                    position: Position(index: index, place: place), time: scheduler.time,
                    what: what))
            place += 1
        }
    }

    private static func what(_ event: Event, _ scheduler: Scheduler) -> What? {
        switch event {
        case .taskChanged(let task, let state):
            .task(task, state, scheduler.subject(of: task))
        case .scheduleFired(let schedule, let nominal, let task):
            .scheduleFired(schedule, nominal: nominal, task)
        case .occurrencesPassed(let schedule, let nominal, let count, let end, let reason):
            .occurrencesPassed(schedule, nominal: nominal, count: count, end, reason)
        case .queueChanged(let name): scheduler.queueStanding(name).map { .queue($0) }
        case .workerChanged(let id):
            .worker(id, scheduler.workerStanding(id)?.state)
        case .outcome, .assigned, .revoked: nil
        }
    }

    private mutating func append(_ record: Record) {
        last = record.position
        guard ring.count == capacity else { return ring.append(record) }
        lostThrough = ring[oldest].position
        ring[oldest] = record
        oldest = (oldest + 1) % capacity
    }

    /// The state was replaced by that of a snapshot: what led there is not known here.
    mutating func skip(to index: Index) {
        ring.removeAll(keepingCapacity: true)
        oldest = 0
        lostThrough = Position(index: index, place: .max)
        last = lostThrough
    }

    public var count: Int { ring.count }

    /// In the order of the log.
    private subscript(place: Int) -> Record { ring[(oldest + place) % ring.count] }

    /// What is held behind `position`, oldest first.
    public func records(behind position: Position, limit: Int) -> [Record] {
        let first = firstPlace(behind: position)
        return (first..<min(ring.count, first + limit)).map { self[$0] }
    }

    /// What is held before `position`, newest first.
    public func records(before position: Position) -> some Sequence<Record> {
        var low = 0
        var high = ring.count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return (0..<low).reversed().lazy.map { self[$0] }
    }

    private func firstPlace(behind position: Position) -> Int {
        var low = 0
        var high = ring.count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
