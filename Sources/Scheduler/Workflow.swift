/// Names a workflow for ever, by its first task.
public struct WorkflowID: Hashable, Sendable, CustomStringConvertible {
    public let first: TaskID

    public init(first: TaskID) {
        self.first = first
    }

    /// Parses `description`; nil if the text is not a workflow's id.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "w"), let first = TaskID("t" + text.dropFirst())
        else { return nil }
        self.first = first
    }

    public var description: String { "w\(first.number)" }
}

/// What a task knows of the workflow that it belongs to. Its tasks have successive numbers.
///
/// ```
/// membership  first u64 · count u32 · name (bool · string)
/// ```
struct WorkflowMembership: Equatable, Sendable {
    var id: WorkflowID
    /// Tasks of the workflow.
    var count: UInt32
    /// What the others call this task.
    var name: String?

    var tasks: Range<UInt64> { id.first.number..<id.first.number + UInt64(count) }

    init(id: WorkflowID, count: Int, name: String?) {
        self.id = id
        self.count = UInt32(count)
        self.name = name
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(id.first.number)
        writer.put(count)
        writer.put(name)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let first = try reader.uint64()
        count = try reader.uint32()
        guard first < 1 << 62, (1...Limits.maxGraphTasks).contains(Int(count)) else {
            throw CodecError("a workflow of \(count) tasks from \(first) on is not plausible")
        }
        id = WorkflowID(first: TaskID(first))
        name = try reader.optionalString()
    }
}

/// How far a workflow has come.
public struct WorkflowView: Equatable, Sendable {
    public var id: WorkflowID
    /// Tasks that it had at its submission.
    public var count: Int
    /// Those that are kept, ascending.
    public var tasks: [Member]

    public struct Member: Equatable, Sendable {
        public var id: TaskID
        public var name: String?
        public var state: TaskState
    }

    public var state: State {
        if tasks.contains(where: { !$0.state.isFinal }) { return .running }
        return tasks.allSatisfy { $0.state == .succeeded } ? .succeeded : .failed
    }

    /// Those that have ended, with those that are not kept any more.
    public var endedCount: Int { count - tasks.count { !$0.state.isFinal } }

    public enum State: String, Sendable {
        /// Not all of its tasks have ended.
        case running
        case succeeded
        /// A task is dead, cancelled or expired.
        case failed
    }
}
