/// A task's end that those who wait for it have yet to be told of. It holds all that they need, so that the task
/// itself may be dropped, or run again.
///
/// ```
/// ending  task u64 · state u8 · isGone bool · result blob
/// ```
struct Ending: Equatable, Sendable {
    var task: TaskID
    var state: TaskState
    /// It is not kept any more, and will never succeed: also those are told who were held.
    var isGone: Bool
    /// Of a task that succeeded.
    var result: [UInt8]

    /// Who is to be told.
    var listeners: [Dependents.Key] {
        let all = Dependents.Key(predecessor: task, isHeld: false)
        let held = Dependents.Key(predecessor: task, isHeld: true)
        return state == .succeeded || isGone ? [all, held] : [all]
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        writer.put(state.rawValue)
        writer.put(isGone)
        writer.put(result)
    }

    init(task: TaskID, state: TaskState, isGone: Bool, result: [UInt8] = []) {
        self.task = task
        self.state = state
        self.isGone = isGone
        self.result = result
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        let byte = try reader.byte()
        guard let state = TaskState(rawValue: byte), state.isFinal else {
            throw CodecError("\(byte) is not an end")
        }
        self.state = state
        isGone = try reader.bool()
        result = try reader.blob()
    }
}

/// First in, first out.
struct EndingQueue: Sendable {
    private var items: [Ending] = []
    /// What lies before is done.
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var first: Ending? { isEmpty ? nil : items[head] }
    var waiting: ArraySlice<Ending> { items[head...] }

    mutating func append(_ ending: Ending) { items.append(ending) }

    mutating func removeFirst() {
        head += 1
        guard head == items.count || head >= 1_024 else { return }
        items.removeFirst(head)
        head = 0
    }

    /// The task runs again: whoever was not told yet goes on waiting.
    mutating func remove(_ task: TaskID) {
        guard waiting.contains(where: { $0.task == task }) else { return }
        items = waiting.filter { $0.task != task }
        head = 0
    }
}
