import Testing

@testable import Node

struct TaskFlightsTests {
    @Test func `news may come in any order`() {
        var flights = TaskFlights()
        flights.measured = 0..<1_000
        flights.acknowledged(1, intended: 100)
        flights.started(1, at: 130)
        flights.ended(1, at: 150, failure: nil)
        // Heard of before its acknowledgement.
        flights.started(2, at: 230)
        flights.ended(2, at: 260, failure: nil)
        #expect(flights.ends.count == 1 && flights.openCount == 0)
        flights.acknowledged(2, intended: 200)
        flights.acknowledged(3, intended: 300)
        #expect(flights.openCount == 1)
        #expect(flights.starts.count == 2 && flights.starts.maxRecordedNanoseconds == 30)
        #expect(flights.ends.count == 2 && flights.ends.maxRecordedNanoseconds == 60)
        #expect(flights.endedCount == 2 && flights.measuredEnds == 2)
    }

    @Test func `what is not within the measured time is not recorded`() {
        var flights = TaskFlights()
        flights.measured = 100..<200
        for (task, intended, ended) in [(1, 50, 150), (2, 150, 190), (3, 190, 260)]
            as [(UInt64, UInt64, UInt64)]
        {
            flights.acknowledged(task, intended: intended)
            flights.ended(task, at: ended, failure: nil)
        }
        #expect(flights.ends.count == 2 && flights.ends.maxRecordedNanoseconds == 70)
        #expect(flights.measuredEnds == 2 && flights.endedCount == 3)
    }

    @Test func `bad ends are counted by their state, and the first start is the start`() {
        var flights = TaskFlights()
        flights.measured = 0..<1_000
        flights.acknowledged(1, intended: 10)
        flights.started(1, at: 20)
        flights.started(1, at: 500)
        flights.ended(1, at: 600, failure: "dead")
        #expect(flights.starts.maxRecordedNanoseconds == 10)
        #expect(flights.badEnds.all.map(\.kind) == ["dead"] && flights.badEnds.total == 1)
    }

    @Test func `lateness by the record tells what was early and what never started`() throws {
        var recorded = RecordedLateness()
        for (due, started, attempt) in [
            ("00:00:01.000", "\"2026-01-01T00:00:01.007Z\"", 1),
            ("00:00:01.000", "\"2026-01-01T00:00:00.999Z\"", 1), ("00:00:01.000", "null", 0),
            ("00:00:01.000", "\"2026-01-01T00:00:01.000Z\"", 2),
        ] {
            let task =
                "{\"runAt\": \"2026-01-01T\(due)Z\", \"startedAt\": \(started), \"attempt\": \(attempt)}"
            recorded.take(try JSONDocument(task).root)
        }
        #expect(recorded.early == 1 && recorded.neverStarted == 1 && recorded.repeated == 1)
        #expect(recorded.lateness.count == 3)
        #expect(recorded.lateness.maxRecordedNanoseconds == 7_000_000)
    }

    @Test func `a node's memory stands in its metrics`() {
        let page = Array("# TYPE x gauge\nx 1\nprocess_resident_memory_bytes 123456789\n".utf8)
        #expect(NodeMemory.value(in: page) == 123_456_789)
        #expect(NodeMemory.value(in: Array("process_resident_memory_bytes none\n".utf8)) == nil)
    }

    @Test func `replies are counted task by task`() {
        func count(_ status: Int, _ body: String, asked: Int) -> (UInt64, [String]) {
            var failures = FailureCounts()
            let bytes = Array(body.utf8)
            let head = ReplyHead(
                status: status, headBytes: 0, bodyBytes: bytes.count, closes: false)
            let found = SubmissionReply.acknowledged(
                head, bytes.span, asked: asked, &failures)
            return (found, failures.all.map { "\($0.count) \($0.kind)" })
        }
        #expect(count(201, #"{"id":"t1","payload":"{}"}"#, asked: 1) == (1, []))
        #expect(count(200, #"{"id":"t1","existed":true}"#, asked: 1) == (1, []))
        #expect(count(200, #"{"items":[{"id":"t1"},{"id":"t2"}]}"#, asked: 2) == (2, []))
        let mixed = #"{"items":[{"id":"t1"},{"error":{"type":"urn:carillon:problem:full"}}]}"#
        #expect(count(200, mixed, asked: 2) == (1, ["1 full"]))
        #expect(count(200, #"{"items":[{"id":"t1"}]}"#, asked: 2).0 == 0)
        let full = #"{"type":"urn:carillon:problem:quota"}"#
        #expect(count(429, full, asked: 2) == (0, ["1 429 quota"]))
        #expect(count(502, "<html>", asked: 1) == (0, ["1 502"]))
    }

    @Test func `figures are told as people and as programs read them`() {
        var failures = FailureCounts()
        failures.add("503 no-leader", count: 2)
        var figures = BenchFigures()
        figures.add("a", "a", .nanoseconds(1_234_567))
        figures.add("b", "b", .nanoseconds(nil))
        figures.add("c", "c", .perSecond(1234.56))
        figures.add("d", "d", .share(0.25))
        figures.add("e", "e", .bytes(12_345_678))
        figures.add("f", "f", .failures(failures))
        figures.add("g", "g", .failures(FailureCounts()))
        figures.add("h", "h", .seconds(0.049))
        #expect(
            figures.all.map(\.shown) == [
                "1.23 ms", "–", "1235", "25.0 %", "12.3 MB", "2 × 503 no-leader", "none", "0.05 s",
            ])
        var writer = JSONWriter()
        figures.write(to: &writer)
        #expect(
            writer.text
                == #"{"a":1.2346,"b":null,"c":1234.6,"d":0.25,"e":12345678,"f":{"503 no-leader":2},"g":{},"h":0.049}"#
        )
    }
}
