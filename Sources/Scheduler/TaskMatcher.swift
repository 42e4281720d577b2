/// A filter, held against one task after the other. What its profile alone decides is found out once for each profile:
/// most tasks have one of a few.
///
/// What it says, and what that costs, depends on the state alone, because bulk jobs look for their tasks inside the log.
/// So texts are compared by bytes: Swift's own equality follows Unicode tables that change between versions. The text that
/// is looked for may stand there in capitals or not, as far as ASCII goes; all else is exact.
struct TaskMatcher {
    private enum Verdict: UInt8 {
        case unknown
        case no
        case yes
        /// And its handler contains the text.
        case yesWithText
    }

    /// Bytes of text that are as much work as any one task is.
    private static let bytesPerUnit = 64

    private let filter: TaskFilter
    /// In small letters.
    private let text: [UInt8]
    private let mayBeInID: Bool
    /// The digits of an id, written anew for each.
    private var digits: [UInt8] = []
    /// By the profile's number.
    private var verdicts: [Verdict]

    init(_ filter: TaskFilter, in state: ReplicatedState) {
        self.filter = filter
        text = (filter.text ?? "").utf8.map(Self.lowercase)
        // A `t` and digits, or a part of that.
        mayBeInID = text.enumerated().allSatisfy { place, byte in
            place == 0 && byte == UInt8(ascii: "t")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        verdicts = [Verdict](repeating: .unknown, count: state.profiles.slots.count)
    }

    /// The numbers of tasks that can match at all.
    var numbers: ClosedRange<UInt64> {
        guard let workflow = filter.workflow else { return 0...UInt64.max }
        let first = workflow.first.number
        return first...first + UInt64(Limits.maxGraphTasks - 1)
    }

    func mayMatch(_ chunk: TaskChunk) -> Bool {
        guard let states = filter.states else { return true }
        return states.contains { chunk.countsByState[Int($0.rawValue)] > 0 }
    }

    /// Whether they all were created too early; those before them were as well.
    func isBehind(_ chunk: TaskChunk) -> Bool {
        guard let since = filter.since, let last = chunk.last else { return false }
        return last.createdAt < since
    }

    /// Whether they all were created too late.
    func isAhead(_ chunk: TaskChunk) -> Bool {
        guard let until = filter.until, let first = chunk.first else { return false }
        return first.createdAt >= until
    }

    /// Takes from the budget what looking at the task costs.
    mutating func matches(
        _ number: UInt64, _ record: TaskRecord, in state: ReplicatedState, _ budget: inout Int
    ) -> Bool {
        budget -= 1
        if let states = filter.states, !states.contains(record.state) { return false }
        if let since = filter.since, record.createdAt < since { return false }
        if let until = filter.until, record.createdAt >= until { return false }
        let profile = Int(record.profile)
        if verdicts[profile] == .unknown {
            verdicts[profile] = verdict(state.profiles[record.profile])
        }
        guard verdicts[profile] != .no else { return false }
        if let worker = filter.worker {
            guard record.attempt > 0, isSame(state.workers.name(record.worker), worker) else {
                return false
            }
        }
        // Not all of its fields: to copy them is dear.
        let extra = record.extra
        if let schedule = filter.schedule, !isSame(extra?.fields.schedule, schedule) {
            return false
        }
        if let workflow = filter.workflow, extra?.fields.workflow?.id != workflow { return false }
        guard filter.meta.isEmpty || hasLabels(extra?.fields.meta) else { return false }
        guard !text.isEmpty, verdicts[profile] != .yesWithText else { return true }
        if mayBeInID, occursInID(number) { return true }
        guard let extra else { return false }
        return occurs(in: extra.fields.key, &budget)
            || occurs(in: extra.fields.error?.message, &budget)
    }

    private static func isSmallLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }

    private func verdict(_ profile: Profile) -> Verdict {
        if let namespace = filter.namespace, !namespace.holds(profile.queue) { return .no }
        if let queue = filter.queue, !isSame(profile.queue, queue) { return .no }
        if let handler = filter.handler, !isSame(profile.handler, handler) { return .no }
        if let tag = filter.tag, !profile.tags.contains(where: { isSame($0, tag) }) { return .no }
        var unlimited = Int.max
        return !text.isEmpty && occurs(in: profile.handler, &unlimited) ? .yesWithText : .yes
    }

    private func hasLabels(_ labels: [Label]?) -> Bool {
        guard let labels, !labels.isEmpty else { return false }
        return filter.meta.allSatisfy { wanted in
            labels.contains { isSame($0.name, wanted.name) && isSame($0.value, wanted.value) }
        }
    }

    private func isSame(_ text: String?, _ other: String) -> Bool {
        text.map { $0.utf8.elementsEqual(other.utf8) } ?? false
    }

    private mutating func occursInID(_ number: UInt64) -> Bool {
        digits.removeAll(keepingCapacity: true)
        var rest = number
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        digits.append(UInt8(ascii: "t"))
        guard digits.count >= text.count else { return false }
        // They stand in reverse.
        for start in 0...digits.count - text.count {
            var length = 0
            while length < text.count, digits[digits.count - 1 - start - length] == text[length] {
                length += 1
            }
            if length == text.count { return true }
        }
        return false
    }

    /// By bytes, which for whole characters of UTF-8 is the same as by characters, and a hundred times faster.
    private func occurs(in other: String?, _ budget: inout Int) -> Bool {
        guard let other else { return false }
        let bytes = other.utf8.span
        budget -= bytes.count / Self.bytesPerUnit
        guard bytes.count >= text.count else { return false }
        let wanted = text.span
        let first = wanted[0]
        let capital = Self.isSmallLetter(first) ? first - 0x20 : first
        var start = 0
        while start <= bytes.count - wanted.count {
            if bytes[start] == first || bytes[start] == capital {
                var length = 1
                while length < wanted.count,
                    Self.lowercase(bytes[start + length]) == wanted[length]
                {
                    length += 1
                }
                if length == wanted.count { return true }
            }
            start += 1
        }
        return false
    }
}

/// What was found of a filter's tasks.
struct TaskFinding {
    /// Newest first.
    var tasks: [(id: TaskID, position: TaskTable.Position)] = []
    /// Tasks with lower numbers have not been looked at; nil: all have.
    var next: UInt64?
}

extension ReplicatedState {
    /// Tasks with numbers below this that match, newest first, at most `limit`. Looking at a task takes a unit of the
    /// budget or more, passing over a chunk in which none can match takes one; when the budget is spent it ends, and
    /// says how far it came.
    func find(
        _ matcher: inout TaskMatcher, below: UInt64, limit: Int, _ budget: inout Int
    ) -> TaskFinding {
        var finding = TaskFinding()
        let range = matcher.numbers
        guard below > range.lowerBound else { return finding }
        var highest = min(below - 1, range.upperBound)
        while highest >= range.lowerBound, let chunk = tasks.lastChunk(notAbove: highest >> 8) {
            let base = tasks.numbers[chunk] << 8
            let content = tasks.chunks[chunk]
            guard base + 255 >= range.lowerBound, !matcher.isBehind(content) else { break }
            if matcher.isAhead(content) {
                guard let last = lastChunk(before: chunk, matcher) else { break }
                highest = tasks.numbers[last] << 8 + 255
                continue
            }
            if matcher.mayMatch(content) {
                let next = search(
                    chunk, from: highest, downTo: range.lowerBound, limit, &matcher, &budget,
                    &finding)
                guard next == nil else {
                    finding.next = next
                    return finding
                }
            } else {
                guard budget > 0 else {
                    finding.next = min(highest, base + 255) + 1
                    return finding
                }
                budget -= 1
            }
            guard base > 0 else { break }
            highest = base - 1
        }
        return finding
    }

    /// The number below which the rest of the chunk's tasks, and all others, lie; nil: it was searched as a whole.
    private func search(
        _ chunk: Int, from highest: UInt64, downTo lowest: UInt64, _ limit: Int,
        _ matcher: inout TaskMatcher, _ budget: inout Int, _ finding: inout TaskFinding
    ) -> UInt64? {
        let base = tasks.numbers[chunk] << 8
        for (slot, row) in tasks.chunks[chunk].places.reversed() {
            let number = base + UInt64(slot)
            guard number <= highest else { continue }
            guard number >= lowest else { return nil }
            guard finding.tasks.count < limit, budget > 0 else { return number + 1 }
            let position = TaskTable.Position(chunk: chunk, row: row)
            if matcher.matches(number, tasks[position], in: self, &budget) {
                finding.tasks.append((TaskID(number), position))
            }
        }
        return nil
    }

    /// The last chunk below this one that is not ahead. Times of creation rise with the numbers, so it is found by
    /// halving.
    private func lastChunk(before chunk: Int, _ matcher: TaskMatcher) -> Int? {
        var low = 0
        var high = chunk
        while low < high {
            let middle = (low + high) / 2
            if matcher.isAhead(tasks.chunks[middle]) { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : low - 1
    }
}
