/// What a namespace may do; nil: without that limit.
public struct NamespaceQuota: Equatable, Sendable {
    /// Tasks that wait, for their time, for others or for a slot: over it submissions are refused, and occurrences of
    /// schedules skipped. What is tried again is not held back.
    public var pending: UInt32?
    /// Tasks that are submitted.
    public var submitRate: RateLimit?
    /// Attempts that run at the same time.
    public var running: UInt32?

    public init() {}
}

/// A namespace as the log knows it.
///
/// ```
/// namespace  name string · isDeclared bool · quota · if it has a rate: units i64 · refilledAt i64 · opensAt (bool · i64)
///            · retention, see `NamespaceRetention`
/// quota      pending (bool · u32) · submitRate (bool · count u32 · period i64 · burst u32) · running (bool · u32)
/// ```
struct NamespaceRecord: Equatable, Sendable {
    let name: String
    /// Somebody put it: it stays when there is nothing in it.
    var isDeclared = false
    var quota = NamespaceQuota()
    /// nil: without a rate.
    var bucket: TokenBucket?
    var retention = NamespaceRetention()

    init(name: String) {
        self.name = name
    }

    /// Short enough to stand before another name, and without what separates them.
    static func isName(_ text: String) -> Bool {
        (1...Limits.maxNamespaceBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 != Namespace.separator && $0 != UInt8(ascii: "@") }
    }
}

/// Namespaces by number. Number 0 is the default one, and always there.
struct NamespaceTable: Sendable {
    static let standard: UInt32 = 0

    private(set) var slots: [NamespaceRecord?]
    /// Numbers free for reuse, last freed first.
    private(set) var free: [UInt32] = []
    /// Of those that say something otherwise than the cluster, by name: derived from the records.
    private var retentions: [String: NamespaceRetention] = [:]

    init() {
        slots = [NamespaceRecord(name: Namespace.standard.name)]
    }

    var count: Int { slots.count - free.count }

    subscript(number: UInt32) -> NamespaceRecord {
        get {
            guard let record = slots[Int(number)] else {
                preconditionFailure("namespace \(number) is not in use")
            }
            return record
        }
        set {
            slots[Int(number)] = newValue
            noteRetention(newValue)
        }
    }

    /// How long the namespace of this queue keeps tasks that ended so; nil: as long as the cluster says.
    func retentionMilliseconds(_ state: TaskState, ofQueue queue: String) -> Milliseconds? {
        guard !retentions.isEmpty else { return nil }
        return retentions[Namespace(of: queue).name]?.milliseconds(state)
    }

    private mutating func noteRetention(_ record: NamespaceRecord) {
        let isEmpty = record.retention == NamespaceRetention()
        retentions[record.name] = isEmpty ? nil : record.retention
    }

    mutating func insert(_ record: NamespaceRecord) -> UInt32 {
        if let number = free.popLast() {
            slots[Int(number)] = record
            return number
        }
        slots.append(record)
        return UInt32(slots.count - 1)
    }

    mutating func remove(_ number: UInt32) {
        precondition(number != Self.standard, "the default namespace is always there")
        if let record = slots[Int(number)] { retentions[record.name] = nil }
        slots[Int(number)] = nil
        free.append(number)
    }

    // MARK: In a snapshot

    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(slots.count))
        for record in slots {
            writer.put(record != nil)
            record?.encode(into: &writer)
        }
        writer.put(UInt32(free.count))
        for number in free { writer.put(number) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        slots = []
        for _ in 0..<(try reader.count()) {
            slots.append(try reader.bool() ? NamespaceRecord(from: &reader) : nil)
        }
        guard slots.first??.name == Namespace.standard.name else {
            throw CodecError("the default namespace is not the first one")
        }
        for _ in 0..<(try reader.count(minimumBytes: 4)) {
            let number = try reader.uint32()
            guard number < slots.count, slots[Int(number)] == nil, !free.contains(number) else {
                throw CodecError("\(number) is not a free namespace")
            }
            free.append(number)
        }
        guard free.count == slots.count(where: { $0 == nil }) else {
            throw CodecError("a free namespace is not listed")
        }
        for record in slots { if let record { noteRetention(record) } }
    }
}

extension NamespaceRecord {
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(isDeclared)
        quota.encode(into: &writer)
        bucket?.encode(into: &writer)
        retention.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.name("namespace")
        isDeclared = try reader.bool()
        quota = try NamespaceQuota(from: &reader)
        if let rate = quota.submitRate { bucket = try TokenBucket(rate, from: &reader) }
        retention = try NamespaceRetention(from: &reader)
    }
}

extension NamespaceQuota {
    func encode(into writer: inout ByteWriter) {
        writer.put(pending != nil)
        if let pending { writer.put(pending) }
        writer.put(submitRate != nil)
        submitRate?.encode(into: &writer)
        writer.put(running != nil)
        if let running { writer.put(running) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        if try reader.bool() { pending = try reader.uint32() }
        if try reader.bool() { submitRate = try RateLimit(from: &reader) }
        if try reader.bool() { running = try reader.uint32() }
    }
}
