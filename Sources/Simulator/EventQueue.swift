import Node
import Raft

/// Something that happens at an instant of virtual time. `life` is the run of the node it belongs to: what
/// was under way when a node crashed finds another life and is dropped.
enum Happening {
    /// The loop of a node gets the processor.
    case turn(node: Int, life: Int)
    /// A deadline of the replica; void if another one was set since.
    case wake(node: Int, life: Int, generation: Int)
    // Those that carry much are indirect: the others would be as large, and each is moved many times.
    indirect case arrival(Letter)
    /// A connection between two processes comes about, if both still run.
    case meeting(one: Int, life: Int, other: Int, otherLife: Int)
    /// Somebody notices that a process is gone, if nothing has taken its place.
    case parting(teller: Int, life: Int, gone: Int, goneLife: Int)
    case membersAct
    case replacementActs
    indirect case input(node: Int, life: Int, ReplicaInput)
    case synced(node: Int, life: Int)
    case snapshotDone(node: Int, life: Int)
    case attemptBegins(execution: Int)
    case attemptOver(execution: Int, cause: Execution.Cause)
    case acts(Load)
    case attachedStep(worker: Int, process: Int, AttachedWorker.Step)
    indirect case attachedFailed(AttachedWorker.Question)
    indirect case attachedStray(AttachedWorker.Question)
    case clientDeadline(Token)
    case clientRetries(Token)
    case strike(Strike)
    case restart(node: Int, life: Int)
    case resume(node: Int, life: Int)
    case crash(node: Int, life: Int)
    case heal(partition: Int)
    case leaseTrap(node: Int, life: Int, impatient: Int?, attempts: Int)
    case leaseWatch(node: Int, life: Int, until: Nanoseconds)
    case founderLost(node: Int, life: Int)
    case playBegins
    case playGoesOn(begunAt: Nanoseconds)
    case playEnds(begunAt: Nanoseconds)
    case peace
    case flawCheck
    case progressCheck

    /// Those who ask the cluster for something, each by a random source and at times of its own.
    enum Load {
        case clients, schedules, workflows, crowd, queues, bulkJobs, caches, backfills, namespaces,
            history, deletions
    }
}

/// A message under way. It belongs to a connection between two identities.
struct Letter {
    var from: Int
    var to: Int
    var sender: NodeID
    var receiver: NodeID
    var bytes: [UInt8]
}

/// Binary heap in the order of (time, sequence): two things at the same instant happen in the order in which
/// they were scheduled, in every run. The heap moves small keys; what happens lies still beside it.
struct EventQueue {
    private struct Key {
        var time: Nanoseconds
        var sequence: UInt64
        var slot: Int

        func isBefore(_ other: Key) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Key] = []
    private var slots: [Happening?] = []
    private var freeSlots: [Int] = []
    private var lastSequence: UInt64 = 0

    mutating func add(_ happening: Happening, at time: Nanoseconds) {
        lastSequence += 1
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot] = happening
        } else {
            slot = slots.count
            slots.append(happening)
        }
        heap.append(Key(time: time, sequence: lastSequence, slot: slot))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func takeFirst() -> (time: Nanoseconds, happening: Happening)? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = 2 * parent + 1
            guard least < heap.count else { break }
            if least + 1 < heap.count, heap[least + 1].isBefore(heap[least]) { least += 1 }
            guard heap[least].isBefore(heap[parent]) else { break }
            heap.swapAt(least, parent)
            parent = least
        }
        guard let happening = slots[first.slot].take() else {
            preconditionFailure("a key without its happening")
        }
        freeSlots.append(first.slot)
        return (first.time, happening)
    }
}
