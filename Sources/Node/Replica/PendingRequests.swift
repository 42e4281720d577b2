import Raft
import Scheduler

/// The commands this node has promised to get done and has no outcome for: in the order of their sequence
/// numbers, kept until the outcome comes back through the log, sent again when they may have been lost.
struct PendingRequests: Sendable {
    enum Purpose: Sendable {
        case client(Token)
        /// A client's that no longer waits.
        case abandoned
        /// The node's worker comes, or comes back.
        case registration
        /// The node's own: its worker drains.
        case housekeeping
        /// What the node says of itself.
        case announcement
        /// A node that knocked is to be taken in.
        case admission
    }

    private struct Slot {
        var purpose: Purpose
        var command: [UInt8]
        var sentAt: Nanoseconds?
    }

    let origin: String
    let incarnation: UInt64
    /// nil: answered. The slot at `head` has sequence `firstSequence`.
    private var slots: [Slot?] = []
    private var head = 0
    private var firstSequence: UInt64
    private(set) var count = 0
    private(set) var bytes = 0
    /// Slots below this sequence have been sent in the current term.
    private var firstUnsent: UInt64
    private var sequences: [Token: UInt64] = [:]
    /// How often everything was sent again since the last answer.
    private var resends = 0

    /// The interval between two attempts grows to at most 2 to the power of this.
    private static let maxResendDoublings = 5

    /// - Parameter firstSequence: of the first request; not 0.
    init(origin: String, incarnation: UInt64, firstSequence: UInt64 = 1) {
        precondition(firstSequence > 0, "0 is for what nobody waits for")
        self.origin = origin
        self.incarnation = incarnation
        self.firstSequence = firstSequence
        firstUnsent = firstSequence
    }

    /// Where a run that begins at this time begins to count. With an old copy of a directory an incarnation comes again:
    /// counted from 1, requests would be answered by what the state machine remembers of other ones. There is room for
    /// a million requests a millisecond before the next run's.
    static func firstSequence(at wall: Milliseconds) -> UInt64 {
        max(1, UInt64(clamping: wall) << 20)
    }

    var hasUnsent: Bool { firstUnsent < nextSequence && count > 0 }

    private var nextSequence: UInt64 { firstSequence + UInt64(slots.count - head) }

    mutating func add(_ purpose: Purpose, command: [UInt8]) {
        if case .client(let token) = purpose { sequences[token] = nextSequence }
        slots.append(Slot(purpose: purpose, command: command, sentAt: nil))
        count += 1
        bytes += command.count
    }

    /// The purpose of the answered request; nil if it is answered already.
    mutating func answer(_ sequence: UInt64) -> Purpose? {
        guard sequence >= firstSequence, sequence < nextSequence,
            let slot = slots[head + Int(sequence - firstSequence)]
        else { return nil }
        remove(slot, sequence)
        resends = 0
        return slot.purpose
    }

    /// Unanswered sequences that were sent, ascending.
    var sentSequences: [UInt64] {
        slots[head...].indices.compactMap { position in
            slots[position]?.sentAt == nil ? nil : firstSequence + UInt64(position - head)
        }
    }

    /// Gives a client's request up. True: it was sent, stays here, and may yet be done. False: it was never sent
    /// and is gone. nil: it is answered, or given up, already.
    mutating func abandon(_ token: Token) -> Bool? {
        guard let sequence = sequences[token],
            var slot = slots[head + Int(sequence - firstSequence)]
        else { return nil }
        guard slot.sentAt != nil else {
            remove(slot, sequence)
            return false
        }
        // The outcome is still awaited: until it is known the identity must not be reused or forgotten.
        sequences[token] = nil
        slot.purpose = .abandoned
        slots[head + Int(sequence - firstSequence)] = slot
        return true
    }

    private mutating func remove(_ slot: Slot, _ sequence: UInt64) {
        if case .client(let token) = slot.purpose { sequences[token] = nil }
        slots[head + Int(sequence - firstSequence)] = nil
        count -= 1
        bytes -= slot.command.count
        while head < slots.count, slots[head] == nil {
            head += 1
            firstSequence += 1
        }
        // Amortised: the array is moved only when at least half of it is answered.
        if head > 64, head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        firstUnsent = max(firstUnsent, firstSequence)
    }

    /// A new leader, or a new connection to it: whatever was sent may be lost.
    mutating func markAllUnsent() { firstUnsent = firstSequence }

    /// When the oldest unanswered request is to be sent again; nil if none is under way. Each copy is a log entry:
    /// a node that only lags behind would otherwise lengthen the very log it has to catch up with.
    func resendTime(after interval: Nanoseconds) -> Nanoseconds? {
        // What waits to be sent waits for a leader, not for a time.
        guard head < slots.count, firstUnsent > firstSequence, let sentAt = slots[head]?.sentAt
        else { return nil }
        return sentAt + interval << min(resends, Self.maxResendDoublings)
    }

    /// `resendTime` has passed.
    mutating func resendAll() {
        resends += 1
        markAllUnsent()
    }

    /// The next group to send, of at most `maxBytes` unless a single command is larger; nil: nothing is left to send.
    mutating func nextGroup(maxBytes: Int, now: Nanoseconds) -> CommandGroup? {
        guard hasUnsent else { return nil }
        var group = CommandGroup(
            origin: origin, incarnation: incarnation, acknowledgedBelow: firstSequence)
        var position = head + Int(firstUnsent - firstSequence)
        let end = self.end(ofGroupFrom: position, maxBytes: maxBytes - group.encodedBytes)
        group.reserve(bytes: end.bytes)
        while position < end.position {
            if let command = slots[position]?.command {
                group.append(
                    sequence: firstSequence + UInt64(position - head), command: command)
                slots[position]?.sentAt = now
            }
            position += 1
        }
        firstUnsent = firstSequence + UInt64(position - head)
        return group.isEmpty ? nil : group
    }

    /// Where a group of at most `maxBytes` ends that begins here, and how many it has; it has one command at least.
    private func end(ofGroupFrom start: Int, maxBytes: Int) -> (position: Int, bytes: Int) {
        var bytes = 0
        for position in start..<slots.count {
            guard let command = slots[position]?.command else { continue }
            let more = CommandGroup.commandHeaderBytes + command.count
            if bytes > 0, bytes + more > maxBytes { return (position, bytes) }
            bytes += more
        }
        return (slots.count, bytes)
    }
}
