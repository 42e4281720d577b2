/// One event as the nodes tell it, looked at without being parsed: tens of thousands come in a second.
///
/// That works because the members that are looked for stand before any text that a user chose, in the order in which
/// `JSONWriter.event` writes them, and need no escapes.
enum EventLine {
    /// Where the text of a member is; nil if there is none of that name.
    static func text(of member: StaticString, in line: Span<UInt8>) -> Range<Int>? {
        let count = member.utf8CodeUnitCount
        var index = 0
        // `"name":"` takes four bytes more.
        while index + count + 4 <= line.count {
            guard line[index] == UInt8(ascii: "\""), line[index + count + 1] == UInt8(ascii: "\""),
                line[index + count + 2] == UInt8(ascii: ":"),
                line[index + count + 3] == UInt8(ascii: "\""),
                line.extracting(index + 1..<index + 1 + count).equals(member)
            else {
                index += 1
                continue
            }
            let start = index + count + 4
            var end = start
            while end < line.count, line[end] != UInt8(ascii: "\"") { end += 1 }
            return end < line.count ? start..<end : nil
        }
        return nil
    }

    /// The number of the task that the event is about.
    static func task(_ line: Span<UInt8>) -> UInt64? {
        text(of: "task", in: line).flatMap { TaskNumbers.number(line.extracting($0)) }
    }
}

/// Ids of tasks in replies: `t` and a number.
enum TaskNumbers {
    static func number(_ id: Span<UInt8>) -> UInt64? {
        guard id.count > 1, id.count < 20, id[0] == UInt8(ascii: "t") else { return nil }
        var number: UInt64 = 0
        for index in 1..<id.count {
            let digit = id[index] &- 48
            guard digit < 10 else { return nil }
            number = number * 10 + UInt64(digit)
        }
        return number
    }

    /// Of a reply to a submission, of one task or of many: the ids that objects begin with, in their order.
    static func each(in reply: Span<UInt8>, _ body: (UInt64) -> Void) {
        var index = 0
        while index + 7 < reply.count {
            guard reply[index] == UInt8(ascii: "{"),
                reply.extracting(index..<index + 7).equals("{\"id\":\"")
            else {
                index += 1
                continue
            }
            let start = index + 7
            var end = start
            while end < reply.count, reply[end] != UInt8(ascii: "\"") { end += 1 }
            if let number = number(reply.extracting(start..<end)) { body(number) }
            index = end
        }
    }
}
