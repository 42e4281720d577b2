/// Where the parts of an encoded `TaskSpec` lie, so that a submission goes from the entry's bytes into the table
/// without a `TaskSpec` between them.
///
/// ```
/// spec     profile blob (see Profile) · priority u8 · start u8 (0 now, 1 after, 2 at) · start value i64
///          · payload blob · key (bool · string) · routingKey (bool · string)
///          · meta (count u32 · (name string · value string)…)
///          · after (count u32 · task u64… · onDependencyFailure u8 if there are any)
///          · webhook (bool · string) · template (bool · string)
/// ```
struct SpecLayout {
    let profile: Range<Int>
    let priority: UInt8
    let start: TaskSpec.Start
    let payload: Range<Int>
    let key: Range<Int>?
    let routingKey: Range<Int>?
    /// From its count on; empty if there are no labels.
    let meta: Range<Int>
    /// From its count on; empty if it waits for none.
    let after: Range<Int>
    let webhook: Range<Int>?
    let template: Range<Int>?

    /// Throws if the bytes are damaged or a value is over its limit; the profile and the strings are checked
    /// when they are used.
    init(from reader: inout ByteReader) throws(CodecError) {
        profile = try reader.blobRange()
        priority = try reader.byte()
        guard priority <= 9 else { throw CodecError("priority \(priority) is not in 0...9") }
        let kind = try reader.byte()
        let value = try reader.int64()
        switch kind {
        case 0: start = .now
        case 1:
            try check(value, "delay", in: 0...Limits.maxDelayMilliseconds)
            start = .after(milliseconds: value)
        case 2:
            try check(value, "start", in: -Limits.maxTime...Limits.maxTime)
            start = .at(value)
        default: throw CodecError("\(kind) is not a start")
        }
        payload = try reader.blobRange()
        guard payload.count <= Limits.maxPayloadBytes else {
            throw CodecError("a payload of \(payload.count) bytes is too large")
        }
        key = try Self.optionalRange(&reader)
        routingKey = try Self.optionalRange(&reader)
        meta = try Self.labels(&reader)
        after = try Self.predecessors(&reader)
        webhook = try Self.address(&reader)
        template = try Self.optionalRange(&reader)
    }

    private static func optionalRange(
        _ reader: inout ByteReader
    ) throws(CodecError) -> Range<Int>? {
        guard try reader.bool() else { return nil }
        let range = try reader.blobRange()
        guard (1...Limits.maxKeyBytes).contains(range.count) else {
            throw CodecError("a key of \(range.count) bytes is not allowed")
        }
        return range
    }

    private static func labels(_ reader: inout ByteReader) throws(CodecError) -> Range<Int> {
        let begin = reader.offset
        let count = try reader.count(minimumBytes: 8)
        guard count <= Limits.maxMetaLabels else {
            throw CodecError("\(count) labels are too many")
        }
        var bytes = 0
        for _ in 0..<2 * count { bytes += try reader.blobRange().count }
        guard bytes <= Limits.maxMetaBytes else {
            throw CodecError("labels of \(bytes) bytes are too large")
        }
        return count == 0 ? begin..<begin : begin..<reader.offset
    }

    private static func predecessors(
        _ reader: inout ByteReader
    ) throws(CodecError) -> Range<Int> {
        let begin = reader.offset
        let count = try reader.count(minimumBytes: 8)
        guard count > 0 else { return begin..<begin }
        guard count <= Limits.maxDependencies else {
            throw CodecError("\(count) dependencies are too many")
        }
        try reader.skip(8 * count)
        _ = try TaskSpec.DependencyPolicy(from: &reader)
        return begin..<reader.offset
    }

    private static func address(_ reader: inout ByteReader) throws(CodecError) -> Range<Int>? {
        guard try reader.bool() else { return nil }
        let range = try reader.blobRange()
        try Webhook.check(reader.bytes[range])
        return range
    }

    var hasRareFields: Bool {
        key != nil || routingKey != nil || !meta.isEmpty || !after.isEmpty || webhook != nil
            || template != nil
    }

    func rareFields(in bytes: [UInt8]) throws(CodecError) -> TaskExtra.Fields {
        var fields = TaskExtra.Fields()
        if let key { fields.key = try Self.text(key, in: bytes) }
        if let routingKey { fields.routingKey = try Self.text(routingKey, in: bytes) }
        if let template { fields.template = try Self.text(template, in: bytes) }
        if !after.isEmpty { fields.dependencies = try dependencies(in: bytes) }
        if let webhook { fields.webhook = try Self.text(webhook, in: bytes) }
        guard !meta.isEmpty else { return fields }
        var reader = ByteReader(bytes, range: meta)
        let count = try reader.count(minimumBytes: 8)
        fields.meta.reserveCapacity(count)
        for _ in 0..<count {
            let name = try reader.string()
            fields.meta.append(Label(name: name, value: try reader.string()))
        }
        return fields
    }

    private func dependencies(in bytes: [UInt8]) throws(CodecError) -> Dependencies {
        var reader = ByteReader(bytes, range: after)
        let count = try reader.count(minimumBytes: 8)
        var tasks: [TaskID] = []
        tasks.reserveCapacity(count)
        for _ in 0..<count { tasks.append(TaskID(try reader.uint64())) }
        return Dependencies(after: tasks, policy: try TaskSpec.DependencyPolicy(from: &reader))
    }

    static func text(_ range: Range<Int>, in bytes: [UInt8]) throws(CodecError) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw CodecError("a string of \(range.count) bytes is not UTF-8")
        }
        return text
    }
}

extension TaskSpec {
    func encode(into writer: inout ByteWriter) {
        let lengthOffset = writer.count
        writer.put(UInt32(0))
        Profile.encode(self, into: &writer)
        writer.patch(UInt32(writer.count - lengthOffset - 4), at: lengthOffset)
        writer.put(priority)
        switch start {
        case .now:
            writer.put(UInt8(0))
            writer.put(Int64(0))
        case .after(let milliseconds):
            writer.put(UInt8(1))
            writer.put(milliseconds)
        case .at(let instant):
            writer.put(UInt8(2))
            writer.put(instant)
        }
        writer.put(payload)
        writer.put(key)
        writer.put(routingKey)
        writer.put(UInt32(meta.count))
        for label in meta {
            writer.put(label.name)
            writer.put(label.value)
        }
        writer.put(UInt32(after.count))
        if !after.isEmpty {
            for task in after { writer.put(task.number) }
            writer.put(onDependencyFailure.rawValue)
        }
        writer.put(webhook)
        writer.put(template)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let layout = try SpecLayout(from: &reader)
        let profile = try Profile(decoding: Array(reader.bytes[layout.profile]))
        self.init(profile: profile, fields: try layout.rareFields(in: reader.bytes))
        payload = Array(reader.bytes[layout.payload])
        start = layout.start
        priority = layout.priority
    }

    /// Everything but payload, start and priority.
    init(profile: Profile, fields: TaskExtra.Fields) {
        self.init(handler: profile.handler)
        queue = profile.queue
        retry = profile.retry
        timeoutMilliseconds = profile.timeoutMilliseconds
        expiresMilliseconds = profile.expiresMilliseconds
        tags = profile.tags
        delivery = profile.delivery
        overallTimeoutMilliseconds = profile.overallTimeoutMilliseconds
        webhook = fields.webhook
        cacheMilliseconds = profile.cacheMilliseconds
        routingKey = fields.routingKey
        key = fields.key
        meta = fields.meta
        if let dependencies = fields.dependencies {
            after = dependencies.edges.map(\.task)
            onDependencyFailure = dependencies.policy
        }
        template = fields.template
    }
}
