/// A worker as the log knows it. Replaced, never changed: a snapshot being written reads the same object.
final class WorkerRecord: Sendable {
    let incarnation: UInt64
    let slots: UInt32
    let handlers: [String]
    let tags: [String]
    let state: WorkerView.State
    /// Log time of the loss; 0 unless lost.
    let lostAt: Milliseconds
    /// Of a worker that is no node.
    let attachments: [Attachment]

    init(
        _ spec: WorkerSpec, state: WorkerView.State, lostAt: Milliseconds,
        attachments: [Attachment] = []
    ) {
        incarnation = spec.incarnation
        slots = spec.slots
        handlers = spec.handlers
        tags = spec.tags
        self.state = state
        self.lostAt = lostAt
        self.attachments = attachments
    }

    func spec(id: String) -> WorkerSpec {
        WorkerSpec(
            id: id, incarnation: incarnation, slots: slots, handlers: handlers, tags: tags)
    }

    /// Whether the session began with this; of a former one nobody knows any more.
    func hasBegun(_ session: UInt64, as spec: WorkerSpec) -> Bool {
        session != incarnation
            || slots == spec.slots && handlers == spec.handlers && tags == spec.tags
    }
}

/// Names of workers by number, for those that are known and for those that tasks remember. Everything else
/// speaks of a worker by its number.
struct WorkerTable: Sendable {
    struct Slot: Sendable {
        var name: String
        /// Tasks whose current or last attempt ran there, and one for the record.
        var references: UInt32
        var record: WorkerRecord?
    }

    private(set) var slots = Buckets<Slot>()
    /// Numbers free for reuse, last freed first.
    private(set) var free: [UInt32] = []

    init() {}

    init(slots: Buckets<Slot>, free: [UInt32]) {
        self.slots = slots
        self.free = free
    }

    func name(_ number: UInt32) -> String { slots[Int(number)].name }

    func record(_ number: UInt32) -> WorkerRecord? { slots[Int(number)].record }

    mutating func insert(_ name: String) -> UInt32 {
        let slot = Slot(name: name, references: 0, record: nil)
        if let number = free.popLast() {
            slots[Int(number)] = slot
            return number
        }
        slots.append(slot)
        return UInt32(slots.count - 1)
    }

    mutating func setRecord(_ number: UInt32, _ record: WorkerRecord) {
        if slots[Int(number)].record == nil { retain(number) }
        slots[Int(number)].record = record
    }

    mutating func retain(_ number: UInt32) { slots[Int(number)].references += 1 }

    /// The name if nothing refers to it any more: its number is free then.
    mutating func release(_ number: UInt32) -> String? {
        slots[Int(number)].references -= 1
        guard slots[Int(number)].references == 0 else { return nil }
        let name = slots[Int(number)].name
        slots[Int(number)].name = ""
        free.append(number)
        return name
    }

    /// Like `release`, of the record's own reference.
    mutating func removeRecord(_ number: UInt32) -> String? {
        slots[Int(number)].record = nil
        return release(number)
    }
}
