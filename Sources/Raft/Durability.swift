/// What of this node's memory is on its disk, and the messages that have to wait until more of it is.
///
/// The core changes its memory at once and hands the changes of one turn to storage as one batch, under a
/// rising ticket. Several batches may be under way. The races closed here:
///
/// - A truncation lowers what earlier tickets can still vouch for. So the late completion of a batch whose
///   entries were cut off and written anew says nothing about the new ones (the ABA problem).
/// - A message that promises something (a vote, an acknowledged entry, a term) waits for the ticket of the
///   batch that holds it, and is forgotten when the term moves on.
struct Durability: Sendable {
    private struct Handed {
        let ticket: Ticket
        /// Entries up to here, as they stand in memory now, are on disk once the ticket is.
        var upTo: Index
        let at: Nanoseconds
    }

    private struct Held {
        let ticket: Ticket
        let message: Message
    }

    /// The ticket of the batch this turn's changes will go into.
    private(set) var nextTicket: Ticket = 1
    private(set) var durableTicket: Ticket = 0
    /// Entries up to here, as they stand in memory, are on disk. Falls when they are cut off.
    private(set) var durableIndex: Index
    /// Entries up to here, as they stand in memory, have been handed to storage.
    private(set) var handedIndex: Index
    /// The batch with the newest term and vote, and the one with the newest truncation.
    private(set) var hardStateTicket: Ticket = 0
    private(set) var truncationTicket: Ticket = 0

    private var handed: [Handed] = []
    private var held: [Held] = []

    private var hasStagedHardState = false
    private var stagedTruncation: Index?
    private var stagedSnapshot: SnapshotMark?
    private var stagedReset = false

    init(lastIndex: Index) {
        durableIndex = lastIndex
        handedIndex = lastIndex
    }

    var isHardStateDurable: Bool { hardStateTicket <= durableTicket }
    var heldMessages: Int { held.count }

    /// When the oldest batch that is still under way was handed over; nil if there is none.
    var oldestHandedAt: Nanoseconds? { handed.first?.at }

    func hasStagedChanges(lastIndex: Index) -> Bool {
        hasStagedHardState || stagedTruncation != nil || stagedSnapshot != nil
            || lastIndex > handedIndex
    }

    /// The ticket that makes everything in memory durable.
    func ticketForEverything(lastIndex: Index) -> Ticket {
        hasStagedChanges(lastIndex: lastIndex) ? nextTicket : nextTicket - 1
    }

    /// The ticket behind which a reply may promise the log up to `index`: the entries are on disk, the term
    /// is, and no truncation is pending whose loss would bring back entries the sender has forgotten.
    func ticket(forLogThrough index: Index) -> Ticket {
        var ticket = max(hardStateTicket, truncationTicket)
        if index > handedIndex || stagedReset {
            ticket = nextTicket
        } else if index > durableIndex {
            guard let covering = handed.first(where: { $0.upTo >= index }) else {
                preconditionFailure("a handed entry is in no batch under way")
            }
            ticket = max(ticket, covering.ticket)
        }
        return ticket
    }

    mutating func stageHardState() {
        hasStagedHardState = true
        hardStateTicket = nextTicket
    }

    mutating func stageTruncation(from index: Index) {
        // What was appended in this turn and is not yet handed over needs no truncation on disk.
        if index <= handedIndex {
            stagedTruncation = min(stagedTruncation ?? index, index)
            truncationTicket = nextTicket
        }
        distrust(from: index)
    }

    /// The log starts behind `mark`; with `resets` nothing handed over so far counts any more.
    mutating func stageSnapshot(_ mark: SnapshotMark, resets: Bool) {
        stagedSnapshot = mark
        guard resets else { return }
        distrust(from: 0)
        stagedReset = true
        stagedTruncation = nil
        handedIndex = mark.index
        truncationTicket = nextTicket
    }

    /// The snapshot at `mark` makes up for damage to what it covers. Until the log starts behind it, a crash brings
    /// the damage back, so nothing is promised.
    mutating func stageRepairingSnapshot(_ mark: SnapshotMark) {
        stagedSnapshot = mark
        truncationTicket = nextTicket
    }

    /// This turn's batch, or nil if nothing changed.
    mutating func takeBatch(log: Log, hardState: HardState, now: Nanoseconds) -> Batch? {
        guard hasStagedChanges(lastIndex: log.lastIndex) else { return nil }
        let batch = Batch(
            ticket: nextTicket,
            hardState: hasStagedHardState ? hardState : nil,
            snapshot: stagedSnapshot,
            resetsLog: stagedReset,
            truncateFrom: stagedTruncation,
            entries: Array(log.slice(from: handedIndex + 1, through: log.lastIndex)))
        handedIndex = log.lastIndex
        handed.append(Handed(ticket: nextTicket, upTo: handedIndex, at: now))
        nextTicket += 1
        hasStagedHardState = false
        stagedTruncation = nil
        stagedSnapshot = nil
        stagedReset = false
        return batch
    }

    /// Everything up to `ticket` is on disk. False for news of yesterday.
    mutating func complete(_ ticket: Ticket) -> Bool {
        precondition(ticket < nextTicket, "a ticket that was never given out")
        guard ticket > durableTicket else { return false }
        durableTicket = ticket
        let done = handed.prefix { $0.ticket <= ticket }.count
        for batch in handed.prefix(done) { durableIndex = max(durableIndex, batch.upTo) }
        handed.removeFirst(done)
        return true
    }

    mutating func hold(_ message: Message, until ticket: Ticket) {
        precondition(ticket <= nextTicket && ticket > durableTicket)
        // One promise about the log a ticket is enough: the newer one says more. It keeps a stalled disk
        // from gathering a reply for every heartbeat.
        if case .appendReply = message.body,
            let position = held.lastIndex(where: { held in
                guard held.ticket == ticket, held.message.to == message.to else { return false }
                guard case .appendReply = held.message.body else { return false }
                return true
            })
        {
            held[position] = Held(ticket: ticket, message: message)
        } else {
            held.append(Held(ticket: ticket, message: message))
        }
    }

    /// Hands over the messages whose promises are durable, oldest first.
    mutating func releaseHeld(into effects: inout [Effect]) {
        guard held.contains(where: { $0.ticket <= durableTicket }) else { return }
        for item in held where item.ticket <= durableTicket { effects.append(.send(item.message)) }
        held.removeAll { $0.ticket <= durableTicket }
    }

    /// The term or the role moved on: what was to be said in the old one is of no use to anybody.
    mutating func dropHeld() {
        held.removeAll()
    }

    private mutating func distrust(from index: Index) {
        let end = index == 0 ? 0 : index - 1
        durableIndex = min(durableIndex, end)
        handedIndex = min(handedIndex, end)
        for position in handed.indices { handed[position].upTo = min(handed[position].upTo, end) }
    }
}
