/// Queues: a task names one, and there it is. What is said of it holds from then on.
extension Scheduler {
    mutating func putQueue(
        _ name: String, _ spec: QueueSpec, paused: Bool?, isInitial: Bool,
        _ events: inout [Event]
    ) -> Outcome {
        let now = state.time
        return changeQueue(name, &events) { record in
            guard !isInitial || !record.isDeclared else { return }
            if spec.rate != record.spec.rate {
                record.bucket = spec.rate.map { TokenBucket(fullFor: $0, at: now) }
            }
            if spec.breaker != record.spec.breaker { record.breaker.reset() }
            record.spec = spec
            if let paused { record.isPaused = paused }
        }
    }

    mutating func setPaused(
        _ isPaused: Bool, _ name: String, _ events: inout [Event]
    ) -> Outcome {
        changeQueue(name, &events) { $0.isPaused = isPaused }
    }

    /// It is without limits, as one that only tasks have named, and goes with the last of them.
    mutating func resetQueue(_ name: String, _ events: inout [Event]) -> Outcome {
        guard let number = index.queueNumbers[name] else { return .rejected(.notFound) }
        let outcome = changeQueue(name, isDeclared: false, &events) { record in
            record.spec = QueueSpec()
            record.isPaused = false
            record.bucket = nil
            record.breaker.reset()
        }
        // Its last tasks may have expired as it opened, and taken it with them.
        if index.queueNumbers[name] == number, !state.queues.isReferenced(number) {
            forgetQueue(number, state.queues.remove(number))
        }
        return outcome
    }

    /// Of a queue that opens, waiting tasks start at once.
    private mutating func changeQueue(
        _ name: String, isDeclared: Bool = true, _ events: inout [Event],
        _ change: (inout QueueRecord) -> Void
    ) -> Outcome {
        guard hasRoom(forQueue: name) else { return .rejected(.full) }
        let number = queueNumber(name)
        var record = state.queues[number]
        change(&record)
        record.isDeclared = isDeclared
        guard record != state.queues[number] else { return .done }
        let hasOtherLimits = record.spec.limits != state.queues[number].spec.limits
        replace(number, record)
        if hasOtherLimits { replaceKeyLimits(number) }
        events.append(.queueChanged(name: name))
        startReopened(&events)
        return .done
    }

    /// Whether the queue is there, or there may be another one.
    func hasRoom(forQueue name: String) -> Bool {
        index.queueNumbers[name] != nil
            || state.queues.count < capacity.queues && hasRoom(for: Namespace(of: name))
    }

    /// Whether the queue takes so many more submissions.
    func hasRoom(for count: Int, inQueue name: String) -> Bool {
        index.queueNumbers[name].map { hasRoom(for: count, inQueue: $0) } ?? true
    }

    func hasRoom(for count: Int, inQueue number: UInt32) -> Bool {
        index.dispatch.queues[Int(number)].pending + count
            <= index.dispatch.queues[Int(number)].maxPending
    }

    /// Makes the queue if it is not there.
    mutating func queueNumber(_ name: String) -> UInt32 {
        if let number = index.queueNumbers[name] { return number }
        namespaceNumber(Namespace(of: name))
        let record = QueueRecord(name: name)
        let number = state.queues.insert(record)
        noteQueue(record, number)
        return number
    }

    mutating func noteQueue(_ record: QueueRecord, _ number: UInt32) {
        index.queueNumbers[record.name] = number
        index.queueNames.insert(record.name, at: queuePlace(record.name))
        guard let space = index.namespaceNumbers[Namespace(of: record.name).name] else {
            preconditionFailure("queue \(record.name) is in a namespace that is not there")
        }
        index.dispatch.addQueue(number, record, space: space)
    }

    /// A profile of the queue is gone.
    mutating func releaseQueue(_ number: UInt32) {
        guard let name = state.queues.release(number) else { return }
        forgetQueue(number, name)
    }

    /// The queue is gone, and its namespace with it if it was the last of it.
    mutating func forgetQueue(_ number: UInt32, _ name: String) {
        if index.dispatch.queues[Int(number)].hasKeyLimits {
            state.keyBuckets.removeAll(of: number)
        }
        index.queueNumbers[name] = nil
        index.queueNames.remove(at: queuePlace(name))
        index.dispatch.removeQueue(number)
        releaseNamespace(Namespace(of: name))
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

    // MARK: What starts and ends

    /// An attempt starts: it takes its turn, a token, and perhaps a probe's place.
    mutating func noteStart(at position: TaskTable.Position) {
        let queue = index.dispatch.queue(ofProfile: state.tasks[position].profile)
        state.queues.started(
            queue, priority: state.tasks[position].priority, tag: state.tasks[position].tag)
        state.tasks[position].probe = 0
        guard index.dispatch.queues[Int(queue)].countsStarts else { return }
        var record = state.queues[queue]
        if let rate = record.spec.rate { record.bucket?.take(rate, at: state.time) }
        if record.spec.breaker != nil { state.tasks[position].probe = record.breaker.started() }
        replace(queue, record)
        noteOpening(record, queue)
    }

    /// The attempt is over, with the outcome in the task's record.
    mutating func noteEnd(at position: TaskTable.Position, _ events: inout [Event]) {
        let queue = index.dispatch.queue(ofProfile: state.tasks[position].profile)
        guard index.dispatch.queues[Int(queue)].countsStarts else { return }
        var record = state.queues[queue]
        guard let breaker = record.spec.breaker else { return }
        let isSuccess: Bool? =
            switch state.tasks[position].lastOutcome {
            case .succeeded: true
            case .failed, .timeout: false
            case .none, .running, .lost, .cancelled, .returned: nil
            }
        let hasTurned = record.breaker.ended(
            breaker, probe: state.tasks[position].probe, isSuccess: isSuccess, at: state.time)
        replace(queue, record)
        guard hasTurned else { return }
        noteOpening(record, queue)
        events.append(.queueChanged(name: record.name))
    }

    /// Its instant has come: a token is there, or the breaker lets probes through.
    mutating func openQueue(_ number: UInt32, _ events: inout [Event]) {
        var record = state.queues[number]
        if let rate = record.spec.rate, let instant = record.bucket?.opensAt,
            instant <= state.time
        {
            record.bucket?.open(rate, at: state.time)
        }
        if case .open(let until) = record.breaker.phase, until <= state.time {
            record.breaker.allowProbes()
            events.append(.queueChanged(name: record.name))
        }
        replace(number, record)
        startReopened(&events)
    }

    private mutating func replace(_ number: UInt32, _ record: QueueRecord) {
        state.queues[number] = record
        index.dispatch.configure(number, record)
        index.dispatch.updateGate(number, in: state.tasks)
    }

    mutating func noteOpening(_ record: QueueRecord, _ number: UInt32) {
        for instant in record.opensAt {
            index.wakes.push(.queue, at: instant, id: UInt64(number))
        }
    }

    // MARK: Reads

    /// Of its tasks that name none.
    public func queuePriority(_ name: String) -> UInt8? {
        index.queueNumbers[name].flatMap { state.queues[$0].spec.priority }
    }

    /// Somebody has said something of the queue.
    public func isQueueDeclared(_ name: String) -> Bool {
        index.queueNumbers[name].map { state.queues[$0].isDeclared } ?? false
    }

    /// nil: there is none of this name.
    public func queueStanding(_ name: String) -> QueueStanding? {
        index.queueNumbers[name].map { number in
            let record = state.queues[number]
            return QueueStanding(
                name: name, isPaused: record.isPaused,
                breaker: record.spec.breaker.map { _ in record.breaker.phase })
        }
    }

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

    /// Of all queues but the first `count` by name together.
    public func queueTotals(behindFirst count: Int) -> QueueTotals {
        var totals = QueueTotals(queues: 0, pending: 0, running: 0)
        for name in index.queueNames.dropFirst(count) {
            guard let number = index.queueNumbers[name] else { continue }
            totals.queues += 1
            totals.pending += index.dispatch.queues[Int(number)].pending
            totals.running += index.dispatch.queues[Int(number)].running
        }
        return totals
    }

    /// Those of a namespace; `after` is a name within it.
    public func queues(in namespace: Namespace, after: String?, limit: Int) -> [QueueView] {
        let names = index.queueNames
        return namespace.places(among: names.count, after: after, limit: limit) { names[$0] }
            .compactMap { queue(names[$0]) }
    }

    private func view(_ number: UInt32) -> QueueView {
        let record = state.queues[number]
        let load = index.dispatch.queues[Int(number)]
        return QueueView(
            name: record.name, spec: record.spec, isPaused: record.isPaused,
            pending: load.pending, running: load.running, held: load.parked,
            tasksByState: load.counts,
            breaker: record.spec.breaker.map { _ in record.breaker.phase },
            nextTokenAt: record.bucket?.opensAt)
    }
}

/// What events of a queue tell of it.
public struct QueueStanding: Equatable, Sendable {
    public var name: String
    public var isPaused: Bool
    /// nil: it has no breaker.
    public var breaker: BreakerPhase?
}

/// Queues that are not told of one by one.
public struct QueueTotals: Equatable, Sendable {
    public var queues: Int
    public var pending: Int
    public var running: Int

    public init(queues: Int, pending: Int, running: Int) {
        self.queues = queues
        self.pending = pending
        self.running = running
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
    /// Tasks that wait for others with the same value under a key.
    public var held: Int
    /// By `TaskState.rawValue`.
    public var tasksByState: [Int]
    /// nil: it has no breaker.
    public var breaker: BreakerPhase?
    /// Log time at which its rate lets the next task start; nil: at once.
    public var nextTokenAt: Milliseconds?
}
