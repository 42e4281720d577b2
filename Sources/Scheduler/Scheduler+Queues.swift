/// Queues: a task names one, and there it is. What is said of it holds from then on.
extension Scheduler {
    mutating func putQueue(
        _ name: String, _ spec: QueueSpec, paused: Bool?, isInitial: Bool,
        _ events: inout [Event]
    ) -> Outcome {
        changeQueue(name, &events) { record in
            guard !isInitial || !record.isDeclared else { return }
            record.spec = spec
            if let paused { record.isPaused = paused }
        }
    }

    mutating func setPaused(
        _ isPaused: Bool, _ name: String, _ events: inout [Event]
    ) -> Outcome {
        changeQueue(name, &events) { $0.isPaused = isPaused }
    }

    /// Of a queue that opens, waiting tasks start at once.
    private mutating func changeQueue(
        _ name: String, _ events: inout [Event], _ change: (inout QueueRecord) -> Void
    ) -> Outcome {
        guard hasRoom(forQueue: name) else { return .rejected(.full) }
        let number = queueNumber(name)
        var record = state.queues[number]
        change(&record)
        record.isDeclared = true
        guard record != state.queues[number] else { return .done }
        state.queues[number] = record
        index.dispatch.configure(number, record)
        index.dispatch.updateGate(number, in: state.tasks)
        events.append(.queueChanged(name: name))
        startReopened(&events)
        return .done
    }

    /// Whether the queue is there, or there may be another one.
    func hasRoom(forQueue name: String) -> Bool {
        index.queueNumbers[name] != nil || state.queues.count < capacity.queues
    }

    /// Whether the queue takes another submission.
    func hasRoom(inQueue name: String) -> Bool {
        guard let number = index.queueNumbers[name] else { return true }
        let load = index.dispatch.queues[Int(number)]
        return load.pending < load.maxPending
    }

    /// Makes the queue if it is not there.
    mutating func queueNumber(_ name: String) -> UInt32 {
        if let number = index.queueNumbers[name] { return number }
        let record = QueueRecord(name: name)
        let number = state.queues.insert(record)
        noteQueue(record, number)
        return number
    }

    mutating func noteQueue(_ record: QueueRecord, _ number: UInt32) {
        index.queueNumbers[record.name] = number
        index.queueNames.insert(record.name, at: queuePlace(record.name))
        index.dispatch.addQueue(number, record)
    }

    /// A profile of the queue is gone.
    mutating func releaseQueue(_ number: UInt32) {
        guard let name = state.queues.release(number) else { return }
        index.queueNumbers[name] = nil
        index.queueNames.remove(at: queuePlace(name))
    }

    /// Where the name stands, or would stand, in `queueNames`.
    private func queuePlace(_ name: String) -> Int {
        var low = 0
        var high = index.queueNames.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(index.queueNames[middle], name) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A task with this profile went from one state to another.
    mutating func count(_ profile: UInt32, from old: TaskState?, to new: TaskState?) {
        let queue = index.dispatch.queue(ofProfile: profile)
        index.dispatch.count(queue, from: old, to: new, in: state.tasks)
    }

    // MARK: Reads

    public func queue(_ name: String) -> QueueView? {
        index.queueNumbers[name].map { view($0) }
    }

    /// Sorted by name, in byte order, those behind `name`.
    public func queues(after name: String?, limit: Int) -> [QueueView] {
        var place = 0
        if let name {
            place = queuePlace(name)
            if place < index.queueNames.count, index.queueNames[place] == name { place += 1 }
        }
        return index.queueNames[place...].prefix(max(0, limit)).compactMap { queue($0) }
    }

    private func view(_ number: UInt32) -> QueueView {
        let record = state.queues[number]
        let load = index.dispatch.queues[Int(number)]
        return QueueView(
            name: record.name, spec: record.spec, isPaused: record.isPaused,
            pending: load.pending, running: load.running, tasksByState: load.counts)
    }
}

/// A queue as clients see it.
public struct QueueView: Equatable, Sendable {
    public var name: String
    public var spec: QueueSpec
    public var isPaused: Bool
    /// Tasks that wait for their time, for others or for a slot.
    public var pending: Int
    public var running: Int
    /// By `TaskState.rawValue`.
    public var tasksByState: [Int]
}
