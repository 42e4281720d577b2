/// Tasks of one queue with one requirement.
struct Lane: Sendable {
    struct Key: Hashable, Sendable {
        var queue: UInt32
        var requirement: Int
    }

    /// Waiting tasks of one priority.
    struct Level: Sendable {
        /// By tag. The top waits; entries further down may be of tasks that wait no more.
        var waiting = Heap()
        var count = 0
    }

    let key: Key
    /// Where it stands in its queue's list of lanes.
    var place = 0
    /// Profiles that belong to it.
    var profiles = 0
    /// By priority.
    var levels = [Level](repeating: Level(), count: 10)
    var waitingCount = 0

    init(_ key: Key) {
        self.key = key
    }

    /// Whether an entry of (tag, task) still holds.
    static func isWaiting(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
        return tasks[position].state == .ready && !tasks[position].isParked
            && tasks[position].tag == entry.key
    }
}

/// A queue as far as assignment goes, by its number in `QueueTable`.
struct QueueLoad: Sendable {
    /// Its waiting tasks may start. A closed queue's lanes are not looked at.
    var isOpen = true
    /// Paused, out of tokens, or with a breaker that is open.
    var isHeld = false
    /// The number of its namespace.
    var space = NamespaceTable.standard
    /// It has a rate or a breaker, which count what starts.
    var countsStarts = false
    var hasKeyLimits = false
    /// Waiting tasks that are in no lane (`KeyGates`).
    var parked = 0
    var concurrency = Int.max
    var maxPending = Int.max
    /// By `TaskState.rawValue`.
    var counts = [Int](repeating: 0, count: TaskState.allCases.count)
    /// In no order: nothing may depend on one, for it is another after a restart.
    var lanes: [Int] = []
    /// By priority.
    var flows = [FlowTable](repeating: FlowTable(), count: 10)

    var running: Int { counts[Int(TaskState.running.rawValue)] }

    /// Tasks that wait for their time, for others or for a slot.
    var pending: Int {
        counts[Int(TaskState.scheduled.rawValue)] + counts[Int(TaskState.blocked.rawValue)]
            + counts[Int(TaskState.ready.rawValue)]
    }

    var mayStart: Bool { !isHeld && running < concurrency }
}
