import Scheduler
import Testing

@testable import Node

@Suite struct ScheduleSpecReaderTests {
    private func read(_ text: String) throws -> (request: ScheduleRequest?, problems: [String]) {
        var zones = ZoneTable(directories: [], read: { _ in nil })
        var reader = JSONReader(try JSONDocument(text).root)
        let request = ScheduleSpecReader.read(&reader, zones: &zones)
        reader.finish()
        return (request, reader.problems.map(\.description))
    }

    @Test func expressionsAndPeriodsAreRead() throws {
        let cron = try read(#"{"cron": "0 9 * * *", "task": {"handler": "echo"}}"#)
        #expect(cron.problems.isEmpty)
        #expect(cron.request?.spec.timing == .cron("0 9 * * *"))
        #expect(cron.request?.spec.zone == "UTC")
        #expect(cron.request?.isPaused == false)
        let every = try read(#"{"every": "90s", "paused": true, "task": {"handler": "echo"}}"#)
        #expect(every.problems.isEmpty)
        #expect(every.request?.spec.timing == .every(milliseconds: 90_000))
        #expect(every.request?.isPaused == true)
        #expect(every.request?.rule.next(after: 1)?.instant == 90_000)
    }

    @Test func exactlyOneTimingIsNeeded() throws {
        let wanted = "either \"cron\" or \"every\" is required, and not both"
        #expect(try read(#"{"task": {"handler": "echo"}}"#).problems == [wanted])
        #expect(
            try read(#"{"cron": "* * * * *", "every": "1s", "task": {"handler": "echo"}}"#).problems
                == [wanted])
    }

    @Test func mistakesAreToldWithTheirPlaces() throws {
        #expect(
            try read(#"{"cron": "61 * * * *", "task": {"handler": "echo"}}"#).problems.first?
                .hasPrefix("/cron: ") == true)
        #expect(
            try read(#"{"every": "5ms", "task": {"handler": "echo"}}"#).problems.first?
                .hasPrefix("/every: ") == true)
        #expect(
            try read(#"{"every": "20000d", "task": {"handler": "echo"}}"#).problems.first?
                .hasPrefix("/every: ") == true)
        #expect(
            try read(#"{"cron": "@daily", "zone": "Mars/Base", "task": {"handler": "echo"}}"#)
                .problems.first?.hasPrefix("/zone: ") == true)
        #expect(
            try read(#"{"every": "1s", "zone": "UTC", "task": {"handler": "echo"}}"#).problems
                .first?
                .hasPrefix("/zone: goes with \"cron\"") == true)
        #expect(try read(#"{"every": "1s"}"#).problems == ["/task: is required"])
        #expect(
            try read(#"{"every": "1s", "task": {"handler": "echo", "runAt": null, "delay": "1s"}}"#)
                .problems == ["/task/delay: does not belong to a schedule's task"])
    }

    @Test func theZoneOfTheExpressionMustNotContradict() throws {
        let same = try read(
            #"{"cron": "CRON_TZ=UTC @daily", "zone": "UTC", "task": {"handler": "echo"}}"#)
        #expect(same.problems.isEmpty && same.request?.spec.zone == "UTC")
        let other = try read(
            #"{"cron": "TZ=UTC @daily", "zone": "Europe/Berlin", "task": {"handler": "echo"}}"#)
        #expect(other.problems.first?.hasPrefix("/zone: ") == true)
    }

    @Test(arguments: ["at", "overlap", "catchUp", "jitter", "dst", "until"])
    func plannedFieldsAreRefusedByName(field: String) throws {
        let (request, problems) = try read(
            #"{"every": "1s", "task": {"handler": "echo"}, "\#(field)": "x"}"#)
        #expect(request == nil)
        #expect(problems == ["/\(field): is not supported by this version"])
    }

    @Test func aDayThatNeverComesIsAccepted() throws {
        let (request, problems) = try read(#"{"cron": "0 0 31 2 *", "task": {"handler": "echo"}}"#)
        #expect(problems.isEmpty)
        #expect(request != nil)
        #expect(request?.rule.next(after: 0) == nil)
    }
}
