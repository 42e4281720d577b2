import Testing

@testable import Node

struct EventTailTests {
    /// As nodes tell events: a chunk each, comments and blocks without data between them.
    private static let stream: (bytes: [UInt8], events: [String]) = {
        var bytes: [UInt8] = []
        var events: [String] = []
        for number in 0..<40 {
            if number % 7 == 0 {
                HTTPWriter.append(chunk: Array(":\nid: 4-\(number)\n\n".utf8), to: &bytes)
            }
            let event = #"{"id":"5-\#(number)","type":"task.running","task":"t\#(number * 977)"}"#
            events.append(event)
            let text = Array("id: 5-\(number)\ndata: \(event)\n\n".utf8)
            // Chunks may end anywhere.
            let cut = number % 3 == 0 ? 11 : text.count
            HTTPWriter.append(chunk: Array(text[..<cut]), to: &bytes)
            if cut < text.count { HTTPWriter.append(chunk: Array(text[cut...]), to: &bytes) }
        }
        return (bytes, events)
    }()

    /// Gives the bytes in parts, and what was left of one together with the next.
    private func events(_ bytes: [UInt8], partBytes: Int) throws -> (events: [String], ended: Bool)
    {
        var framing = EventTail.Framing()
        var pending: [UInt8] = []
        var events: [String] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + partBytes)
            pending += bytes[start..<end]
            start = end
            let used = try framing.take(pending.span) { events.append($0.text()) }
            pending.removeFirst(used)
        }
        return (events, framing.hasEnded)
    }

    @Test(arguments: [1, 2, 3, 17, 64, 1_000, 1_000_000])
    func `events are found however their bytes arrive`(partBytes: Int) throws {
        let open = try events(Self.stream.bytes, partBytes: partBytes)
        #expect(open.events == Self.stream.events && !open.ended)
        let ended = try events(Self.stream.bytes + Array("0\r\n\r\n".utf8), partBytes: partBytes)
        #expect(ended.events == Self.stream.events && ended.ended)
    }

    @Test func `what is not chunked is refused`() {
        #expect(throws: EventTail.Framing.Failure.notChunked) {
            _ = try events(Array("data: {}\n\n".utf8), partBytes: 100)
        }
    }

    private func task(_ line: String) -> UInt64? { EventLine.task(Array(line.utf8).span) }

    @Test func `type and task of an event are read without parsing it`() {
        let line =
            #"{"id":"9-0","type":"task.succeeded","time":"2026-01-01T00:00:00.000Z","task":"t42","#
            + #""state":"succeeded","namespace":"bench","queue":"\"task\":\"t1\"","handler":"echo"}"#
        let bytes = Array(line.utf8)
        let type = EventLine.text(of: "type", in: bytes.span).map { bytes[$0] }
        #expect(type.map { String(decoding: $0, as: UTF8.self) } == "task.succeeded")
        #expect(task(line) == 42)
        #expect(task(#"{"id":"9-0","type":"queue.changed","queue":"a"}"#) == nil)
        #expect(task(#"{"task":"t"#) == nil)
        #expect(task(#"{"task":"x5"}"#) == nil)
        #expect(task("") == nil)
    }

    @Test func `ids stand in replies in the order of the tasks`() {
        let reply = Array(
            #"{"items":[{"id":"t7"},{"error":{"type":"x"}},{"id":"t9","existed":true}]}"#.utf8)
        var found: [UInt64] = []
        TaskNumbers.each(in: reply.span) { found.append($0) }
        #expect(found == [7, 9])
        let single = Array(#"{"id":"t12","payload":"{\"id\":\"t1\"}"}"#.utf8)
        found = []
        TaskNumbers.each(in: single.span) { found.append($0) }
        #expect(found == [12])
    }
}
