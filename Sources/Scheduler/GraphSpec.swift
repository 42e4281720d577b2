/// A workflow as it is submitted: tasks that wait for each other, taken in as a whole or not at all.
///
/// ```
/// graph  key (bool · string) · count u32 · item…
/// item   name (bool · string) · after (count u32 · place u32…) · onDependencyFailure u8 · spec blob (see `SpecLayout`)
/// ```
/// An item can wait only for items before it, so no graph has a cycle.
public struct GraphSpec: Equatable, Sendable {
    public struct Item: Equatable, Sendable {
        /// What the others call it; nil: by its id.
        public var name: String?
        /// Places of the items that it waits for, besides the tasks that its spec names; ascending.
        public var after: [UInt32]
        /// Without a key.
        public var spec: TaskSpec

        public init(name: String? = nil, after: [UInt32], spec: TaskSpec) {
            self.name = name
            self.after = after
            self.spec = spec
        }
    }

    public var items: [Item]
    /// The client's idempotency key for the whole.
    public var key: String?

    public init(items: [Item], key: String? = nil) {
        self.items = items
        self.key = key
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(key)
        writer.put(UInt32(items.count))
        for item in items {
            writer.put(item.name)
            writer.put(UInt32(item.after.count))
            for place in item.after { writer.put(place) }
            // The spec has it only beside tasks of its own to wait for.
            writer.put(item.spec.onDependencyFailure.rawValue)
            let lengthOffset = writer.count
            writer.put(UInt32(0))
            item.spec.encode(into: &writer)
            writer.patch(UInt32(writer.count - lengthOffset - 4), at: lengthOffset)
        }
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        key = try reader.bool() ? try reader.name("key") : nil
        items = []
        let count = try reader.count(minimumBytes: 9)
        guard (1...Limits.maxGraphTasks).contains(count) else {
            throw CodecError("\(count) tasks in a workflow are not allowed")
        }
        items.reserveCapacity(count)
        var edges = 0
        for place in 0..<count {
            let item = try Item(from: &reader, at: UInt32(place))
            edges += item.after.count
            guard edges <= Limits.maxGraphEdges else {
                throw CodecError("more than \(Limits.maxGraphEdges) dependencies in a workflow")
            }
            items.append(item)
        }
    }
}

extension GraphSpec.Item {
    init(from reader: inout ByteReader, at place: UInt32) throws(CodecError) {
        name = try reader.bool() ? try reader.name("task") : nil
        after = []
        let count = try reader.count(minimumBytes: 4)
        for _ in 0..<count {
            let other = try reader.uint32()
            guard other < place, after.last.map({ $0 < other }) ?? true else {
                throw CodecError("task \(place) of a workflow can't wait for task \(other)")
            }
            after.append(other)
        }
        let policy = try reader.byte()
        guard let policy = TaskSpec.DependencyPolicy(rawValue: policy) else {
            throw CodecError("\(policy) says nothing of what a failure means")
        }
        var body = ByteReader(reader.bytes, range: try reader.blobRange())
        spec = try TaskSpec(from: &body)
        spec.onDependencyFailure = policy
        guard body.remaining == 0, spec.key == nil,
            count + spec.after.count <= Limits.maxDependencies
        else { throw CodecError("task \(place) of a workflow is not acceptable") }
    }
}
