/// A namespace as far as assignment goes, by its number in `NamespaceTable`.
struct SpaceLoad: Sendable {
    /// Tasks that wait for their time, for others or for a slot.
    var pending = 0
    var running = 0
    /// Tasks that have ended: dead ones, and all others.
    var dead = 0
    var finished = 0
    var maxPending = Int.max
    var maxRunning = Int.max
    /// Submissions take tokens.
    var countsSubmits = false
    /// Numbers of its queues.
    var queues: [UInt32] = []

    func kept(_ reason: Wakes.Reason) -> Int { reason == .dead ? dead : finished }

    private mutating func countEnd(_ state: TaskState, _ change: Int) {
        if state == .dead { dead += change } else { finished += change }
    }

    mutating func count(from old: TaskState?, to new: TaskState?) {
        if let old {
            if old == .running { running -= 1 }
            if old.isPending { pending -= 1 }
            if old.isFinal { countEnd(old, -1) }
        }
        if let new {
            if new == .running { running += 1 }
            if new.isPending { pending += 1 }
            if new.isFinal { countEnd(new, 1) }
        }
    }

    /// Nothing of its queues starts.
    var isFull: Bool { running >= maxRunning }
}

extension Dispatch {
    mutating func addSpace(_ number: UInt32, _ record: NamespaceRecord, in tasks: TaskTable) {
        while spaces.count <= Int(number) { spaces.append(SpaceLoad()) }
        spaces[Int(number)] = SpaceLoad()
        configure(space: number, record, in: tasks)
    }

    /// Takes over what the record says.
    mutating func configure(space number: UInt32, _ record: NamespaceRecord, in tasks: TaskTable) {
        spaces[Int(number)].maxPending = record.quota.pending.map(Int.init) ?? .max
        spaces[Int(number)].maxRunning = record.quota.running.map(Int.init) ?? .max
        spaces[Int(number)].countsSubmits = record.bucket != nil
        updateGates(ofSpace: number, in: tasks)
    }

    /// A task of the namespace went from one state to another; nil: it is new, or gone.
    @inline(__always)
    mutating func count(
        inSpace number: UInt32, from old: TaskState?, to new: TaskState?, in tasks: TaskTable
    ) {
        let wasFull = spaces[Int(number)].isFull
        spaces[Int(number)].count(from: old, to: new)
        if spaces[Int(number)].isFull != wasFull { updateGates(ofSpace: number, in: tasks) }
    }

    /// All queues of the namespace start nothing while as many run as may.
    private mutating func updateGates(ofSpace number: UInt32, in tasks: TaskTable) {
        let isFull = spaces[Int(number)].isFull
        for queue in spaces[Int(number)].queues {
            queues[Int(queue)].isSpaceFull = isFull
            updateGate(queue, in: tasks)
        }
    }
}

extension TaskState {
    /// It waits for its time, for others or for a slot.
    var isPending: Bool { rawValue < TaskState.running.rawValue }
}
