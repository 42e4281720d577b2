import Scheduler
import Testing

@testable import Node

@Suite struct QueryReaderTests {
    @Test func valuesAreReadByType() {
        var query = QueryReader([
            ("limit", "20"), ("stale", "true"), ("timeout", "1m30s"), ("queue", "a"),
            ("since", "1970-01-01T00:00:01Z"),
        ])
        #expect(query.integer("limit", in: 1...100) == 20)
        #expect(query.bool("stale") == true)
        #expect(query.durationMilliseconds("timeout", in: 0...100_000) == 90_000)
        #expect(query.text("queue") == "a")
        #expect(query.timestampMilliseconds("since") == 1_000)
        #expect(query.text("worker") == nil)
        query.finish()
        #expect(query.problems.isEmpty)
    }

    @Test func whatIsWrongIsToldByName() {
        var query = QueryReader([
            ("limit", "0"), ("stale", "yes"), ("timeout", "2h"), ("queue", ""), ("cursor", "a"),
            ("cursor", "b"), ("limt", "1"),
        ])
        #expect(query.integer("limit", in: 1...100) == nil)
        #expect(query.bool("stale") == nil)
        #expect(query.durationMilliseconds("timeout", in: 0...300_000) == nil)
        #expect(query.text("queue") == nil)
        #expect(query.text("cursor") == nil)
        query.finish()
        #expect(
            query.problems.map(\.pointer)
                == ["?limit", "?stale", "?timeout", "?queue", "?cursor", "?limt"])
        #expect(query.problems.last?.detail.contains("did you mean \"limit\"?") == true)
    }

    @Test func filtersAreRead() {
        var query = QueryReader([
            ("state", "dead,expired"), ("state", "running"), ("queue", "mail"),
            ("meta.env", "prod"),
            ("meta.a.b", ""), ("q", "text"), ("until", "1970-01-01T00:00:02Z"),
        ])
        let filter = TaskFilterReader.read(&query)
        query.finish()
        #expect(query.problems.isEmpty)
        var expected = TaskFilter()
        expected.states = [.dead, .expired, .running]
        expected.queue = "mail"
        expected.meta = [Label(name: "env", value: "prod"), Label(name: "a.b", value: "")]
        expected.text = "text"
        expected.until = 2_000
        expected.namespace = .standard
        #expect(filter == expected)
    }

    @Test func unknownStatesAreRefused() {
        var query = QueryReader([("state", "runing")])
        _ = TaskFilterReader.read(&query)
        #expect(query.problems.count == 1)
        #expect(query.problems.first?.detail.contains("did you mean \"running\"?") == true)
    }

    @Test func aFixedStateIsNoFilter() {
        var query = QueryReader([("state", "running")])
        let filter = TaskFilterReader.read(&query, states: [.dead])
        query.finish()
        #expect(filter.states == [.dead])
        #expect(query.problems.map(\.pointer) == ["?state"])
    }
}
