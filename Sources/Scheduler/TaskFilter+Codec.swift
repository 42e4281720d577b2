/// ```
/// filter  states (bool · count u32 · state u8…) · queue, handler, schedule, worker, tag (bool · string)
///         · meta (count u32 · (name string · value string)…) · text (bool · string) · since, until (bool · i64)
///         · workflow (bool · first task u64) · namespace (bool · string)
/// ```
extension TaskFilter {
    func encode(into writer: inout ByteWriter) {
        writer.put(states != nil)
        if let states {
            writer.put(UInt32(states.count))
            for state in states { writer.put(state.rawValue) }
        }
        for name in [queue, handler, schedule, worker, tag] { writer.put(name) }
        writer.put(UInt32(meta.count))
        for label in meta {
            writer.put(label.name)
            writer.put(label.value)
        }
        writer.put(text)
        writer.put(since)
        writer.put(until)
        writer.put(workflow != nil)
        if let workflow { writer.put(workflow.first.number) }
        writer.put(namespace?.name)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        self.init()
        if try reader.bool() { states = try Self.states(from: &reader) }
        queue = try reader.optionalString()
        handler = try reader.optionalString()
        schedule = try reader.optionalString()
        worker = try reader.optionalString()
        tag = try reader.optionalString()
        let count = try reader.count(minimumBytes: 8)
        guard count <= Limits.maxMetaLabels else {
            throw CodecError("\(count) labels are too many")
        }
        for _ in 0..<count {
            let name = try reader.string()
            meta.append(Label(name: name, value: try reader.string()))
        }
        text = try reader.optionalString()
        since = try reader.optionalInstant("begin of a filter")
        until = try reader.optionalInstant("end of a filter")
        if try reader.bool() {
            let first = try reader.uint64()
            guard first < 1 << 62 else { throw CodecError("\(first) is not a workflow") }
            workflow = WorkflowID(first: TaskID(first))
        }
        namespace = try reader.optionalString().map(Namespace.init(name:))
        guard textBytes <= Limits.maxFilterBytes else {
            throw CodecError("a filter of \(textBytes) bytes is too long")
        }
    }

    private var textBytes: Int {
        let names = [queue, handler, schedule, worker, tag, text, namespace?.name]
        return names.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
            + meta.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    private static func states(
        from reader: inout ByteReader
    ) throws(CodecError) -> [TaskState] {
        let count = try reader.count()
        guard count <= TaskState.allCases.count else {
            throw CodecError("\(count) states are too many")
        }
        var states: [TaskState] = []
        for _ in 0..<count {
            let byte = try reader.byte()
            guard let state = TaskState(rawValue: byte) else {
                throw CodecError("\(byte) is not a task's state")
            }
            states.append(state)
        }
        return states
    }
}
