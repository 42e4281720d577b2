/// A task that has ended and may go, because it is on record elsewhere as it was then. If it has been brought back meanwhile, it
/// stays: no end that nobody has written down is lost.
///
/// ```
/// departures  count u32 · departures
/// departure   task u64 · state u8 · attempt u32 · finishedAt i64
/// ```
public struct Departure: Equatable, Sendable {
    public var task: TaskID
    public var state: TaskState
    public var attempt: UInt32
    public var finishedAt: Milliseconds

    static let encodedBytes = 21

    /// nil: it has not ended.
    public init?(_ view: TaskView) {
        guard view.state.isFinal, let finishedAt = view.finishedAt else { return nil }
        self.init(
            task: view.id, state: view.state, attempt: view.attempt, finishedAt: finishedAt)
    }

    init(task: TaskID, state: TaskState, attempt: UInt32, finishedAt: Milliseconds) {
        self.task = task
        self.state = state
        self.attempt = attempt
        self.finishedAt = finishedAt
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        writer.put(state.rawValue)
        writer.put(attempt)
        writer.put(finishedAt)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        let byte = try reader.byte()
        guard let state = TaskState(rawValue: byte), state.isFinal else {
            throw CodecError("\(byte) is not how a task ends")
        }
        self.state = state
        attempt = try reader.uint32()
        finishedAt = try reader.instant("end")
    }
}

extension [Departure] {
    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(count))
        for departure in self { departure.encode(into: &writer) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let count = try reader.count(minimumBytes: Departure.encodedBytes)
        guard count <= Limits.maxDepartures else {
            throw CodecError("\(count) tasks are too many to go at once")
        }
        self = []
        reserveCapacity(count)
        for _ in 0..<count { append(try Departure(from: &reader)) }
    }
}

/// How tasks go when they are to be on record first (`Retention.isExported`): somebody reads which ones are due, writes them
/// down, and says so by a command that names them as they were.
extension Scheduler {
    /// Those that are still as they were when they were written down go.
    mutating func dropExported(_ departures: [Departure]) -> Outcome {
        for departure in departures {
            guard let position = state.tasks.position(of: departure.task) else { continue }
            let record = state.tasks[position]
            guard record.state == departure.state, record.attempt == departure.attempt,
                record.finishedAt == departure.finishedAt
            else { continue }
            remove(departure.task)
        }
        // What is gone must not be looked at again before the next ones are found.
        for space in index.kept.spaces {
            for reason in Self.endReasons { _ = oldestKept(reason, ofSpace: space) }
        }
        return .done
    }

    /// Tasks that shall not be kept any longer at `instant` (ms), in the order in which they would go: at most `limit` of them,
    /// and with texts of about `maxBytes`, but one at least. None unless they are to be on record first.
    public func departures(
        at instant: Milliseconds, limit: Int, maxBytes: Int
    ) -> [TaskView] {
        departures(
            at: instant, limit: limit, maxBytes: maxBytes, looks: Limits.maxDepartureLooks)
    }

    /// - Parameter looks: Entries that may be looked at.
    func departures(
        at instant: Milliseconds, limit: Int, maxBytes: Int, looks: Int
    ) -> [TaskView] {
        guard state.retention.isExported, instant >= 0 else { return [] }
        var search = DepartureSearch(limit: limit, maxBytes: maxBytes, looks: looks)
        for reason in Self.endReasons {
            find(&search, reason, surplus: surplus(reason), until: instant) { through, body in
                index.wakes.visit(reason, through: through, body)
            }
            for space in index.kept.spaces {
                let surplus = surplus(reason, ofSpace: space)
                find(&search, reason, surplus: surplus, until: -1) { through, body in
                    index.kept.visit(space, reason, through: through, body)
                }
            }
        }
        return search.found
    }

    /// The first `surplus` of the entries that are visited in order, and the others up to `until`.
    private func find(
        _ search: inout DepartureSearch, _ reason: Wakes.Reason, surplus: Int,
        until instant: Milliseconds, visit: (Milliseconds, (Heap.Entry) -> Bool) -> Void
    ) {
        guard search.mayGoOn else { return }
        var surplus = surplus
        visit(surplus > 0 ? .max : instant) { entry in
            guard surplus > 0 || Milliseconds(entry.key) <= instant else { return false }
            search.looks -= 1
            if state.holds(reason, entry, index.scheduleNames),
                let position = state.tasks.position(of: TaskID(entry.id))
            {
                surplus -= 1
                // One that ended twice within a step of housekeeping stands there twice.
                if search.seen.insert(entry.id).inserted {
                    search.take(view(TaskID(entry.id), state.tasks[position]))
                }
            }
            return search.mayGoOn
        }
    }
}

/// What was found so far of tasks that may go, and how much may be looked at yet.
private struct DepartureSearch {
    private let limit: Int
    private let maxBytes: Int
    private var bytes = 0
    private var isFull = false
    private(set) var found: [TaskView] = []
    var seen: Set<UInt64> = []
    var looks: Int

    init(limit: Int, maxBytes: Int, looks: Int) {
        self.limit = limit
        self.maxBytes = maxBytes
        self.looks = looks
    }

    var mayGoOn: Bool { !isFull && found.count < limit && looks > 0 }

    mutating func take(_ view: TaskView) {
        bytes += view.spec.payload.count + (view.result?.count ?? 0) + 1_024
        isFull = !found.isEmpty && bytes > maxBytes
        if !isFull { found.append(view) }
    }
}
