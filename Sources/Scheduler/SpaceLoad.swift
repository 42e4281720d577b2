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
    /// Those that have heads and a crew, in no order, as `QueueLoad.lanes`.
    var requirements: [Int] = []

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
    mutating func addSpace(_ number: UInt32, _ record: NamespaceRecord) {
        while spaces.count <= Int(number) { spaces.append(SpaceLoad()) }
        spaces[Int(number)] = SpaceLoad()
        configure(space: number, record)
    }

    /// Takes over what the record says.
    mutating func configure(space number: UInt32, _ record: NamespaceRecord) {
        let wasFull = spaces[Int(number)].isFull
        spaces[Int(number)].maxPending = record.quota.pending.map(Int.init) ?? .max
        spaces[Int(number)].maxRunning = record.quota.running.map(Int.init) ?? .max
        spaces[Int(number)].countsSubmits = record.bucket != nil
        if spaces[Int(number)].isFull != wasFull { updateGate(ofSpace: number) }
    }

    /// A task of the namespace went from one state to another; nil: it is new, or gone.
    @inline(__always)
    mutating func count(inSpace number: UInt32, from old: TaskState?, to new: TaskState?) {
        let wasFull = spaces[Int(number)].isFull
        spaces[Int(number)].count(from: old, to: new)
        if spaces[Int(number)].isFull != wasFull { updateGate(ofSpace: number) }
    }

    /// Nothing of a full namespace is looked at when a slot gets free.
    private mutating func updateGate(ofSpace number: UInt32) {
        for requirement in spaces[Int(number)].requirements {
            updateListing(inHandler: requirement)
        }
        guard !spaces[Int(number)].isFull, reopenedSpaces.last != number else { return }
        reopenedSpaces.append(number)
    }

    /// To be called when a requirement may have got its first head or crew, or lost the last.
    mutating func updateListing(inSpace requirement: Int) {
        let space = Int(requirements[requirement].key.space)
        let belongs =
            requirements[requirement].heads.top != nil && !requirements[requirement].crews.isEmpty
        if belongs, requirements[requirement].spacePlace == nil {
            requirements[requirement].spacePlace = spaces[space].requirements.count
            spaces[space].requirements.append(requirement)
        } else if !belongs, let place = requirements[requirement].spacePlace {
            requirements[requirement].spacePlace = nil
            let last = spaces[space].requirements.removeLast()
            guard last != requirement else { return }
            spaces[space].requirements[place] = last
            requirements[last].spacePlace = place
        }
    }
}

extension TaskState {
    /// It waits for its time, for others or for a slot.
    var isPending: Bool { rawValue < TaskState.running.rawValue }
}
