import Scheduler
import Testing

@testable import Node

@Suite struct ScheduleSpecReaderTests {
    private func read(_ text: String) throws -> (request: ScheduleRequest?, problems: [String]) {
        var zones = ZoneTable(directories: [], read: { _ in nil })
        var reader = JSONReader(try JSONDocument(text).root)
        let request = ScheduleSpecReader.read(&reader, name: "s", zones: &zones)
        reader.finish()
        return (request, reader.problems.map(\.description))
    }

    @Test func expressionsAndPeriodsAreRead() throws {
        let cron = try read(#"{"cron": "0 9 * * *", "task": {"handler": "echo"}}"#)
        #expect(cron.problems.isEmpty)
        #expect(cron.request?.spec.timing == .cron("0 9 * * *"))
        #expect(cron.request?.spec.zone == "UTC")
        #expect(cron.request != nil && cron.request?.isPaused == nil)
        let every = try read(#"{"every": "90s", "paused": true, "task": {"handler": "echo"}}"#)
        #expect(every.problems.isEmpty)
        #expect(every.request?.spec.timing == .every(milliseconds: 90_000))
        #expect(every.request?.isPaused == true)
        #expect(every.request?.rule.next(after: 1)?.instant == 90_000)
    }

    @Test func exactlyOneTimingIsNeeded() throws {
        let wanted = "exactly one of \"cron\", \"every\" and \"at\" is required"
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
        let unknown = try read(
            #"{"cron": "CRON_TZ=Mars/Base @daily", "task": {"handler": "echo"}}"#)
        #expect(unknown.problems.first?.hasPrefix("/cron: the time zone \"Mars/Base\"") == true)
    }

    @Test func anInstantThatIsNoneIsNamed() throws {
        let wrong = try read(
            #"{"at": ["2030-01-01T00:00:00Z", "soon"], "task": {"handler": "echo"}}"#)
        #expect(wrong.problems.first?.hasPrefix("/at/1: the time \"soon\"") == true)
    }

    @Test func phasesAndInstantsAreRead() throws {
        let phase = try read(#"{"every": "90s", "phase": "10s", "task": {"handler": "echo"}}"#)
        #expect(phase.request?.spec.timing == .every(milliseconds: 90_000, phase: 10_000))
        #expect(phase.request?.rule.next(after: 10_000)?.instant == 100_000)
        let list = try read(
            #"""
            {"at": ["1970-01-01T00:00:09Z", "1970-01-01T00:00:05Z", "1970-01-01T01:00:05+01:00"],
             "task": {"handler": "echo"}}
            """#)
        #expect(list.request?.spec.timing == .at([5_000, 9_000]))
        for (body, place) in [
            (#""every": "90s", "phase": "90s""#, "/phase: "), (#""at": []"#, "/at: "),
            (#""cron": "@daily", "phase": "1s""#, "/phase: "), (#""at": ["noon"]"#, "/at/0: "),
            (#""at": ["1969-01-01T00:00:00Z"]"#, "/at/0: "),
            (#""at": ["2026-01-01T00:00:00Z"], "zone": "UTC""#, "/zone: "),
        ] {
            let problems = try read("{\(body), \"task\": {\"handler\": \"echo\"}}").problems
            #expect(problems.count == 1 && problems[0].hasPrefix(place), "\(problems)")
        }
    }

    private func policy(_ fields: String) throws -> (SchedulePolicy?, [String]) {
        let (request, problems) = try read(
            "{\"cron\": \"@daily\", \(fields), \"task\": {\"handler\": \"echo\"}}")
        return (request?.spec.policy, problems)
    }

    @Test func policiesAreRead() throws {
        let (all, problems) = try policy(
            #"""
            "overlap": "cancelOther", "catchUp": {"within": "1h"}, "jitter": "30s",
            "until": "2030-01-01T00:00:00Z", "dst": {"gap": "skip", "overlap": "last"}
            """#)
        #expect(problems.isEmpty)
        var expected = SchedulePolicy()
        expected.overlap = .cancelOther
        expected.catchUp = .within(milliseconds: 3_600_000)
        expected.jitterMilliseconds = 30_000
        expected.until = 1_893_456_000_000
        expected.daylight = DaylightPolicy(gap: .skip, overlap: .last)
        #expect(all == expected)
        let (none, _) = try policy(#""catchUp": "none""#)
        #expect(none?.catchUp == CatchUpPolicy.none && none?.overlap == .allow)
        #expect(try policy(#""catchUp": {"all": 1000}"#).0?.catchUp == .all(1_000))
        #expect(try policy(#""catchUp": "latest""#).0 == SchedulePolicy())
    }

    @Test(arguments: [
        (#""overlap": "never""#, "/overlap"), (#""catchUp": "some""#, "/catchUp"),
        (#""catchUp": {}"#, "/catchUp"), (#""catchUp": {"all": 1, "within": "1s"}"#, "/catchUp"),
        (#""catchUp": {"all": 0}"#, "/catchUp/all"), (#""catchUp": {"all": 1001}"#, "/catchUp/all"),
        (#""catchUp": {"last": 1}"#, "/catchUp"), (#""jitter": "soon""#, "/jitter"),
        (#""until": "later""#, "/until"), (#""dst": {"gap": "both"}"#, "/dst/gap"),
        (#""dst": {"lap": "both"}"#, "/dst/lap"),
    ])
    func mistakesInPoliciesAreTold(fields: String, place: String) throws {
        let (policy, problems) = try policy(fields)
        #expect(policy == nil)
        #expect(problems.first?.hasPrefix(place + ": ") == true, "\(problems)")
    }

    @Test func changingClocksMatterToExpressionsOnly() throws {
        let (request, problems) = try read(
            #"{"every": "1s", "dst": {"gap": "skip"}, "task": {"handler": "echo"}}"#)
        #expect(request == nil && problems.first?.hasPrefix("/dst: goes with") == true)
    }

    @Test func theNameDecidesWhatIsSpread() throws {
        let (request, _) = try read(#"{"cron": "H H * * *", "task": {"handler": "echo"}}"#)
        let own = try Cron("H H * * *", name: "s").next(after: 0, in: .utc)
        #expect(request?.rule.next(after: 0)?.instant == own)
    }

    @Test func aDayThatNeverComesIsAccepted() throws {
        let (request, problems) = try read(#"{"cron": "0 0 31 2 *", "task": {"handler": "echo"}}"#)
        #expect(problems.isEmpty)
        #expect(request != nil)
        #expect(request?.rule.next(after: 0) == nil)
    }
}
