/// A queue as the log knows it.
struct QueueRecord: Equatable, Sendable {
    let name: String
    var spec = QueueSpec()
    var isPaused = false
    /// Somebody put, paused or resumed it: it stays when it has no tasks.
    var isDeclared = false
    /// By priority: the highest tag (`Flow`) of a task that was started.
    var virtualTimes = [UInt64](repeating: 0, count: 10)
    /// nil: without a rate.
    var bucket: TokenBucket?
    var breaker = Breaker()

    init(name: String) {
        self.name = name
    }

    /// Whether it may start tasks, as far as anything but its concurrency goes.
    var mayStart: Bool {
        !isPaused && bucket?.opensAt == nil
            && (spec.breaker.map { breaker.allowsStart($0) } ?? true)
    }

    /// When it may start tasks again by itself: a token is there, or the breaker lets probes through.
    var opensAt: [Milliseconds] {
        var instants: [Milliseconds] = []
        if let instant = bucket?.opensAt { instants.append(instant) }
        if case .open(let until) = breaker.phase { instants.append(until) }
        return instants
    }
}

/// Queues by number, with the number of profiles that name them.
struct QueueTable: Sendable {
    struct Slot: Sendable {
        var record: QueueRecord?
        var references: UInt32
    }

    private(set) var slots = Buckets<Slot>()
    /// Numbers free for reuse, last freed first.
    private(set) var free: [UInt32] = []

    init() {}

    init(slots: Buckets<Slot>, free: [UInt32]) {
        self.slots = slots
        self.free = free
    }

    var count: Int { slots.count - free.count }

    subscript(number: UInt32) -> QueueRecord {
        get {
            guard let record = slots[Int(number)].record else {
                preconditionFailure("queue \(number) is not in use")
            }
            return record
        }
        set { slots[Int(number)].record = newValue }
    }

    func virtualTime(_ number: UInt32, priority: UInt8) -> UInt64 {
        slots[Int(number)].record?.virtualTimes[Int(priority)] ?? 0
    }

    /// A task with this tag was started.
    mutating func started(_ number: UInt32, priority: UInt8, tag: UInt64) {
        guard virtualTime(number, priority: priority) < tag else { return }
        slots[Int(number)].record?.virtualTimes[Int(priority)] = tag
    }

    mutating func insert(_ record: QueueRecord) -> UInt32 {
        let slot = Slot(record: record, references: 0)
        if let number = free.popLast() {
            slots[Int(number)] = slot
            return number
        }
        slots.append(slot)
        return UInt32(slots.count - 1)
    }

    func isReferenced(_ number: UInt32) -> Bool { slots[Int(number)].references > 0 }

    /// Of a queue that no profile names. Returns its name; its number is free then.
    mutating func remove(_ number: UInt32) -> String {
        precondition(!isReferenced(number))
        let name = self[number].name
        slots[Int(number)].record = nil
        free.append(number)
        return name
    }

    mutating func retain(_ number: UInt32) { slots[Int(number)].references += 1 }

    /// The name if nothing needs the queue any more: its number is free then.
    mutating func release(_ number: UInt32) -> String? {
        slots[Int(number)].references -= 1
        guard slots[Int(number)].references == 0, let record = slots[Int(number)].record,
            !record.isDeclared
        else { return nil }
        return remove(number)
    }
}
