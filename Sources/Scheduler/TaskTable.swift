/// All tasks by number. Numbers rise, so the table is a row of chunks of 256 numbers each; a chunk holds only
/// the tasks that exist, because a few dead tasks outlive their neighbours by weeks. After a copy a mutation
/// copies one chunk.
struct TaskTable: Sendable {
    /// Chunk numbers (task number / 256), ascending, beside their chunks.
    private(set) var numbers: [UInt64] = []
    private(set) var chunks: [TaskChunk] = []
    private(set) var count = 0

    /// Where a task lies. Valid until a task is added or removed.
    struct Position {
        var chunk: Int
        var row: Int
    }

    func position(of id: TaskID) -> Position? {
        guard let chunk = chunkIndex(id.number >> 8),
            let row = chunks[chunk].row(of: Int(id.number & 255))
        else { return nil }
        return Position(chunk: chunk, row: row)
    }

    subscript(position: Position) -> TaskRecord {
        // By a span: an array hands out a copy of what it holds, with one more reference to each of its parts.
        _read {
            let records = chunks[position.chunk].records
            yield records.span[position.row]
        }
        _modify { yield &chunks[position.chunk].records[position.row] }
    }

    /// `id` is higher than any in the table.
    mutating func append(_ id: TaskID, _ record: TaskRecord) -> Position {
        let number = id.number >> 8
        precondition((numbers.last ?? 0) <= number)
        if numbers.last != number {
            if !chunks.isEmpty { chunks[chunks.count - 1].trim() }
            numbers.append(number)
            chunks.append(TaskChunk())
        }
        let chunk = chunks.count - 1
        let row = chunks[chunk].append(Int(id.number & 255), record)
        count += 1
        return Position(chunk: chunk, row: row)
    }

    mutating func remove(_ id: TaskID) {
        guard let chunk = chunkIndex(id.number >> 8) else { return }
        guard chunks[chunk].remove(Int(id.number & 255)) else { return }
        count -= 1
        if chunks[chunk].isEmpty {
            chunks.remove(at: chunk)
            numbers.remove(at: chunk)
        }
    }

    mutating func setState(_ state: TaskState, at position: Position) {
        chunks[position.chunk].setState(state, row: position.row)
    }

    /// The last chunk whose number is at most `number`; nil if there is none.
    func lastChunk(notAbove number: UInt64) -> Int? {
        var low = 0
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] <= number { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// Numbers are distinct, so the distances to both ends bound the search; it is one look when there are
    /// no gaps.
    private func chunkIndex(_ number: UInt64) -> Int? {
        guard let first = numbers.first, let last = numbers.last, number >= first, number <= last
        else { return nil }
        let count = numbers.count
        var low = last - number < UInt64(count) ? count - 1 - Int(last - number) : 0
        var high = number - first < UInt64(count) ? Int(number - first) : count - 1
        while low <= high {
            if numbers[low] == number { return low }
            let middle = (low + high) / 2
            if numbers[middle] == number { return middle }
            if numbers[middle] < number { low = middle + 1 } else { high = middle - 1 }
        }
        return nil
    }
}

/// The tasks of 256 successive numbers that still exist, in order.
///
/// A task that is removed leaves an empty row, until half of the rows are empty: closing each gap at once would move half
/// of the others for each of them.
struct TaskChunk: Sendable {
    /// Bit n: the task with number n within the chunk exists.
    private var present = SIMD4<UInt64>()
    /// Bit n: it has a row, which may be empty.
    private var kept = SIMD4<UInt64>()
    private var count = 0
    /// By `TaskState.rawValue`; lets a filtered list pass over whole chunks.
    private(set) var countsByState = SIMD8<UInt16>()
    /// In the order of their numbers; empty rows keep the time at which their tasks were created.
    fileprivate(set) var records: ContiguousArray<TaskRecord> = []

    init() {
        records.reserveCapacity(256)
    }

    var isEmpty: Bool { count == 0 }

    func row(of slot: Int) -> Int? {
        let word = slot >> 6
        let bit = UInt64(1) << UInt64(slot & 63)
        guard present[word] & bit != 0 else { return nil }
        var row = (kept[word] & (bit - 1)).nonzeroBitCount
        for lower in 0..<word { row += kept[lower].nonzeroBitCount }
        return row
    }

    /// The first task. Not the first row: which empty ones there are is not part of the state.
    var first: TaskRecord? {
        for word in 0..<4 where present[word] != 0 {
            return row(of: word << 6 + present[word].trailingZeroBitCount).map { records[$0] }
        }
        return nil
    }

    var last: TaskRecord? {
        for word in (0..<4).reversed() where present[word] != 0 {
            return row(of: word << 6 + 63 - present[word].leadingZeroBitCount).map { records[$0] }
        }
        return nil
    }

    /// The slots (0 to 255) of tasks and the rows of their records, ascending.
    var places: [(slot: Int, row: Int)] {
        var places: [(slot: Int, row: Int)] = []
        places.reserveCapacity(count)
        var row = 0
        for word in 0..<4 {
            var bits = kept[word]
            while bits != 0 {
                let bit = bits & (~bits + 1)
                if present[word] & bit != 0 {
                    places.append((word << 6 + bits.trailingZeroBitCount, row))
                }
                row += 1
                bits &= bits - 1
            }
        }
        return places
    }

    fileprivate mutating func append(_ slot: Int, _ record: TaskRecord) -> Int {
        present[slot >> 6] |= UInt64(1) << UInt64(slot & 63)
        kept[slot >> 6] |= UInt64(1) << UInt64(slot & 63)
        countsByState[Int(record.state.rawValue)] &+= 1
        count += 1
        records.append(record)
        return records.count - 1
    }

    fileprivate mutating func remove(_ slot: Int) -> Bool {
        guard let row = row(of: slot) else { return false }
        present[slot >> 6] &= ~(UInt64(1) << UInt64(slot & 63))
        countsByState[Int(records[row].state.rawValue)] &-= 1
        count -= 1
        records[row].payload = []
        records[row].result = nil
        records[row].extra = nil
        if records.count >= 2 * count { closeGaps() }
        return true
    }

    private mutating func closeGaps() {
        var rest: ContiguousArray<TaskRecord> = []
        rest.reserveCapacity(count)
        for place in places { rest.append(records[place.row]) }
        records = rest
        kept = present
    }

    /// No task follows. A chunk may live on for weeks with one task in it.
    fileprivate mutating func trim() {
        guard records.capacity >= 4 * records.count else { return }
        closeGaps()
    }

    fileprivate mutating func setState(_ state: TaskState, row: Int) {
        countsByState[Int(records[row].state.rawValue)] &-= 1
        countsByState[Int(state.rawValue)] &+= 1
        records[row].state = state
    }
}
