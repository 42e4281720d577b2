import Raft

/// Names a scheduled timer. Stays harmless after the timer fired or was cancelled.
struct TimerID: Hashable, Sendable {
    fileprivate var slot: UInt32
    fileprivate var generation: UInt32
}

/// Timers ordered by deadline, and by order of scheduling among equal deadlines.
///
/// A binary heap whose nodes know their slot and slots their node, so that cancelling takes
/// O(log n) and leaves nothing behind: rescheduled timeouts must not pile up as garbage.
struct TimerHeap {
    private struct Node {
        var deadline: Nanoseconds
        var sequence: UInt64
        var slot: UInt32

        func precedes(_ other: Node) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence
        }
    }

    private struct Slot {
        /// Counts the uses of the slot, so that an old `TimerID` cannot cancel a new timer.
        var generation: UInt32 = 0
        var position = 0
        var body: (() -> Void)?
    }

    private var heap: [Node] = []
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    /// The sequence the next timer gets. Timers scheduled earlier have smaller ones.
    private(set) var nextSequence: UInt64 = 0

    var count: Int { heap.count }
    var earliest: Nanoseconds? { heap.first?.deadline }

    mutating func insert(at deadline: Nanoseconds, _ body: @escaping () -> Void) -> TimerID {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].body = body
        heap.append(Node(deadline: deadline, sequence: nextSequence, slot: slot))
        nextSequence += 1
        siftUp(heap.count - 1)
        return TimerID(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// False if it fired or was cancelled before.
    @discardableResult
    mutating func cancel(_ timer: TimerID) -> Bool {
        let slot = Int(timer.slot)
        guard slot < slots.count, slots[slot].body != nil,
            slots[slot].generation == timer.generation
        else { return false }
        _ = remove(at: slots[slot].position)
        return true
    }

    /// Takes the first timer that is due and was scheduled before `sequence`. The bound keeps a timer
    /// that schedules itself anew, already due, from holding the turn for ever.
    mutating func popDue(at now: Nanoseconds, scheduledBefore sequence: UInt64) -> (() -> Void)? {
        guard let first = heap.first, first.deadline <= now, first.sequence < sequence else {
            return nil
        }
        return remove(at: 0)
    }

    private mutating func remove(at position: Int) -> () -> Void {
        let slot = Int(heap[position].slot)
        let last = heap.removeLast()
        if position < heap.count {
            heap[position] = last
            slots[Int(last.slot)].position = position
            siftDown(position)
            siftUp(position)
        }
        guard let body = slots[slot].body.take() else {
            preconditionFailure("a timer in the heap has a body")
        }
        slots[slot].generation &+= 1
        freeSlots.append(UInt32(slot))
        return body
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let node = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard node.precedes(heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(node, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let node = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count && heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(node) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(node, at: position)
    }

    private mutating func place(_ node: Node, at position: Int) {
        heap[position] = node
        slots[Int(node.slot)].position = position
    }
}
