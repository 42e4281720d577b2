/// What a task waits for, and what came of it. It stands in the task's own record, so that a predecessor that
/// has ended may be dropped.
///
/// ```
/// dependencies  policy u8 · count u32 · (task u64 · name (bool · string) · end u8 · [succeeded: isShared bool · result blob unless shared])…
/// ```
/// A result is shared if the predecessor is kept and has it: ten thousand successors of one task don't make a
/// snapshot ten thousand times as large.
struct Dependencies: Equatable, Sendable {
    struct Edge: Equatable, Sendable {
        var task: TaskID
        /// What the successor calls it; nil: by its id.
        var name: String?
        var end = End.awaited
        /// JSON, the predecessor's own array; empty unless it succeeded.
        var result: [UInt8] = []
    }

    enum End: UInt8, Sendable {
        case awaited = 0
        case succeeded = 1
        case failed = 2
    }

    /// Ascending by task, at most one for each.
    private(set) var edges: [Edge]
    let policy: TaskSpec.DependencyPolicy

    init(
        after tasks: [TaskID], policy: TaskSpec.DependencyPolicy, names: [TaskID: String] = [:]
    ) {
        var edges: [Edge] = []
        edges.reserveCapacity(tasks.count)
        for task in tasks.sorted() where edges.last?.task != task {
            edges.append(Edge(task: task, name: names[task]))
        }
        self.edges = edges
        self.policy = policy
    }

    var isAwaiting: Bool { edges.contains { $0.end == .awaited } }

    func place(of task: TaskID) -> Int? {
        var low = 0
        var high = edges.count
        while low < high {
            let middle = (low + high) / 2
            if edges[middle].task < task { low = middle + 1 } else { high = middle }
        }
        return low < edges.count && edges[low].task == task ? low : nil
    }

    /// What they came to, for whoever runs the task.
    var inputs: [TaskInput] {
        edges.map { edge in
            TaskInput(
                name: edge.name ?? edge.task.description,
                result: edge.end == .succeeded ? edge.result : nil)
        }
    }

    mutating func settle(at place: Int, _ end: End, result: [UInt8] = []) {
        edges[place].end = end
        edges[place].result = result
    }

    /// What was handed over is of no use to a task that has succeeded.
    mutating func dropResults() {
        for place in edges.indices { edges[place].result = [] }
    }

    // MARK: In a snapshot

    func encode(among tasks: TaskTable, into writer: inout ByteWriter) {
        writer.put(policy.rawValue)
        writer.put(UInt32(edges.count))
        for edge in edges {
            writer.put(edge.task.number)
            writer.put(edge.name)
            writer.put(edge.end.rawValue)
            guard edge.end == .succeeded else { continue }
            let isShared = tasks.result(of: edge.task) == edge.result
            writer.put(isShared)
            if !isShared { writer.put(edge.result) }
        }
    }

    /// `tasks` holds all with lower numbers than the task that is being read.
    init(from reader: inout ByteReader, among tasks: TaskTable) throws(CodecError) {
        policy = try TaskSpec.DependencyPolicy(from: &reader)
        edges = []
        let count = try reader.count(minimumBytes: 10)
        guard (1...Limits.maxDependencies).contains(count) else {
            throw CodecError("\(count) dependencies are not allowed")
        }
        for _ in 0..<count {
            var edge = Edge(task: TaskID(try reader.uint64()))
            guard edges.last.map({ $0.task < edge.task }) ?? true else {
                throw CodecError("dependencies are not in order")
            }
            edge.name = try reader.optionalString()
            let byte = try reader.byte()
            guard let end = End(rawValue: byte) else {
                throw CodecError("\(byte) is not a dependency's end")
            }
            edge.end = end
            if end == .succeeded {
                edge.result = try Self.result(of: edge.task, from: &reader, among: tasks)
            }
            edges.append(edge)
        }
    }

    private static func result(
        of task: TaskID, from reader: inout ByteReader, among tasks: TaskTable
    ) throws(CodecError) -> [UInt8] {
        guard try reader.bool() else { return try reader.blob() }
        guard let shared = tasks.result(of: task) else {
            throw CodecError("a result of \(task) is shared, and not there")
        }
        return shared
    }
}

extension TaskSpec.DependencyPolicy {
    init(from reader: inout ByteReader) throws(CodecError) {
        let byte = try reader.byte()
        guard let policy = Self(rawValue: byte) else {
            throw CodecError("\(byte) is not a dependency policy")
        }
        self = policy
    }
}

extension TaskTable {
    /// nil if the task is not kept or has none.
    func result(of id: TaskID) -> [UInt8]? {
        position(of: id).flatMap { self[$0].handedOver }
    }
}
