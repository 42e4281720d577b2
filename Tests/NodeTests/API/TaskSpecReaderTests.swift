import Scheduler
import Testing

@testable import Node

@Suite struct TaskSpecReaderTests {
    private func read(
        _ text: String, as position: TaskSpecReader.Position = .submission
    ) throws -> (spec: TaskSpec?, problems: [String]) {
        var reader = JSONReader(try JSONDocument(text).root)
        let spec = TaskSpecReader.read(&reader, as: position)
        reader.finish()
        return (spec, reader.problems.map(\.description))
    }

    @Test func onlyTheHandlerIsNeeded() throws {
        let (spec, problems) = try read(#"{"handler": "echo"}"#)
        #expect(problems.isEmpty)
        #expect(spec == TaskSpec(handler: "echo"))
    }

    @Test func everyFieldIsRead() throws {
        let (spec, problems) = try read(
            """
            {
              "handler": "resize", "payload": {"n": 1.0e+5,  "t": "\\u00e9"}, "delay": "1h30m",
              "queue": "mail", "priority": "high",
              "retry": {"attempts": 7, "backoff": "linear", "initial": "2s", "max": "1m",
                        "jitter": false, "kinds": ["timeout", "http", "timeout"]},
              "overallTimeout": "1h", "webhook": "https://example.com/a?b=c",
              "timeout": "30s", "expires": "2h", "tags": ["gpu", "a", "gpu"],
              "routingKey": "user:1", "delivery": "atMostOnce", "key": "k 1",
              "meta": {"b": "2", "a": "1"}, "after": ["t9", "t3"], "onDependencyFailure": "hold"
            }
            """)
        #expect(problems.isEmpty)
        var expected = TaskSpec(handler: "resize")
        expected.payload = Array(#"{"n": 1.0e+5,  "t": "\u00e9"}"#.utf8)
        expected.start = .after(milliseconds: 5_400_000)
        expected.queue = "mail"
        expected.priority = 8
        expected.retry.attempts = 7
        expected.retry.backoff = .linear
        expected.retry.initialMilliseconds = 2_000
        expected.retry.maxMilliseconds = 60_000
        expected.retry.jitter = false
        expected.retry.kinds = ["http", "timeout"]
        expected.overallTimeoutMilliseconds = 3_600_000
        expected.webhook = "https://example.com/a?b=c"
        expected.timeoutMilliseconds = 30_000
        expected.expiresMilliseconds = 7_200_000
        expected.tags = ["a", "gpu"]
        expected.routingKey = "user:1"
        expected.delivery = .atMostOnce
        expected.key = "k 1"
        expected.meta = [Label(name: "a", value: "1"), Label(name: "b", value: "2")]
        expected.after = [TaskID(9), TaskID(3)]
        expected.onDependencyFailure = .hold
        #expect(spec == expected)
    }

    @Test func aPolicyThatTriesNothingAgainSaysSoByItsAttempts() throws {
        let empty = try read(#"{"handler": "echo", "retry": {"kinds": []}}"#)
        #expect(empty.problems.count == 1 && empty.problems[0].hasPrefix("/retry/kinds: must not"))
        // As it is returned.
        let null = try read(#"{"handler": "echo", "retry": {"kinds": null}, "webhook": null}"#)
        #expect(null.spec == TaskSpec(handler: "echo"))
    }

    @Test func aPolicyWithoutPredecessorsIsAMistake() throws {
        let alone = try read(#"{"handler": "echo", "onDependencyFailure": "run"}"#)
        #expect(alone.problems == ["/onDependencyFailure: means nothing without \"after\""])
        let other = try read(
            #"{"handler": "echo", "after": ["t1"], "onDependencyFailure": "wait"}"#)
        #expect(other.problems.count == 1)
        #expect(other.problems[0].hasPrefix("/onDependencyFailure: \"wait\" is not one of"))
    }

    @Test func timesMayBeGivenInEitherWayAndNotInBoth() throws {
        let at = try read(#"{"handler": "echo", "runAt": "2026-11-21T09:00:00+01:00"}"#)
        #expect(at.spec?.start == .at(1_795_248_000_000))
        #expect(try read(#"{"handler": "echo", "delay": "0"}"#).spec?.start == .now)
        let both = try read(
            #"{"handler": "echo", "delay": "1s", "runAt": "2026-11-21T09:00:00Z"}"#)
        #expect(both.spec == nil)
        #expect(both.problems == ["/runAt: can't stand beside \"delay\""])
        let far = try read(#"{"handler": "echo", "runAt": "9999-01-01T00:00:00Z"}"#)
        #expect(far.problems == ["/runAt: is more than 3650d ahead"])
    }

    @Test func resultsAreThoseOfTasksThatAreWaitedFor() throws {
        let wrong = try read(
            #"{"handler": "echo", "after": ["t1"], "payload": ["{{results.t1}}", "{{results.t2}}"]}"#
        )
        #expect(
            wrong.problems == [
                #"/payload: wants the result of "t2", which the task does not wait for ("after")"#
            ])
        #expect(
            try read(#"{"handler": "echo", "payload": "{{results.t2}}"}"#).problems.isEmpty)
    }

    @Test func parametersWithoutATemplateAreAMistake() throws {
        let alone = try read(#"{"handler": "echo", "params": {"x": 1}}"#)
        #expect(alone.problems == ["/params: goes with \"template\""])
    }

    @Test func prioritiesAreNumbersOrWords() throws {
        for (text, value) in [("0", 0), ("9", 9), ("\"low\"", 2), ("\"normal\"", 5)] {
            let (spec, _) = try read(#"{"handler": "echo", "priority": \#(text)}"#)
            #expect(spec?.priority == UInt8(value))
        }
        for text in ["10", "-1", "5.0", "\"urgent\"", "true"] {
            let (spec, problems) = try read(#"{"handler": "echo", "priority": \#(text)}"#)
            #expect(spec == nil)
            #expect(problems.count == 1 && problems[0].hasPrefix("/priority: expected a whole"))
        }
    }

    @Test func allMistakesAreToldAtOnceWithTheirPlaces() throws {
        let (spec, problems) = try read(
            """
            { "handlr": "echo", "delay": "soon", "retry": {"attempts": 0, "max": 5},
              "timeout": "31d", "tags": ["a", 1], "meta": {"a": 1}, "after": ["t1", "x"],
              "webhook": "ftp://127.0.0.1/", "key": "", "delivery": "exactlyOnce" }
            """)
        #expect(spec == nil)
        for place in [
            "/handler: is required", "/delay: ", "/retry/attempts: ", "/retry/max: ", "/timeout: ",
            "/tags/1: ", "/meta/a: ", "/after/1: \"x\" is not a task's id",
            "/webhook: must be an address that begins with http:// or https://", "/key: ",
            "/delivery: ",
            "/handlr: unknown field \"handlr\"; did you mean \"handler\"?",
        ] {
            #expect(problems.contains { $0.hasPrefix(place) }, "\(place)")
        }
        #expect(problems.count == 12)
    }

    @Test func namesMustBeNames() throws {
        for name in ["a b", "", "../x", "-a", "ä", "a/b", String(repeating: "x", count: 256)] {
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("handler", name)
            writer.endObject()
            #expect(try read(writer.text).problems.count == 1, "\(name)")
        }
    }

    @Test func nobodySubmitsWhatIsSignedWithTheSecret() throws {
        let (spec, problems) = try read(
            #"{"handler": "webhook", "payload": {"url": "http://h/", "task": "t3"}}"#)
        #expect(spec == nil)
        #expect(problems == ["/handler: \"webhook\" is reserved: see the field \"webhook\""])
    }

    @Test func limitsOfTheStateMachineAreToldWithTheirPlaces() throws {
        let payload = String(repeating: "1", count: Limits.maxPayloadBytes + 1)
        #expect(
            try read(#"{"handler": "echo", "payload": \#(payload)}"#).problems.first?
                .hasPrefix("/payload: ") == true)
        let labels = (0...Limits.maxMetaLabels).map { "\"k\($0)\": \"\"" }.joined(separator: ",")
        #expect(
            try read(#"{"handler": "echo", "meta": {\#(labels)}}"#).problems.first?
                .hasPrefix("/meta: has 33") == true)
        let long = String(repeating: "v", count: Limits.maxMetaBytes)
        #expect(
            try read(#"{"handler": "echo", "meta": {"k": "\#(long)"}}"#).problems.first?
                .hasPrefix("/meta: ") == true)
    }

    @Test func aScheduleSaysItselfWhenItsTasksRun() throws {
        let (spec, problems) = try read(
            #"{"handler": "echo", "delay": "1s", "key": "k"}"#, as: .schedule)
        #expect(spec == nil)
        #expect(
            problems == [
                "/delay: does not belong to a schedule's task",
                "/key: does not belong to a schedule's task",
            ])
    }

    @Test func aLongFirstDelayRaisesTheDefaultCeiling() throws {
        let (spec, problems) = try read(#"{"handler": "echo", "retry": {"initial": "10m"}}"#)
        #expect(problems.isEmpty)
        #expect(spec?.retry.maxMilliseconds == 600_000)
        let wrong = try read(#"{"handler": "echo", "retry": {"initial": "10m", "max": "1m"}}"#)
        #expect(wrong.problems == ["/retry/max: is shorter than \"initial\""])
    }

    @Test func whatIsNotAnObjectIsRefused() throws {
        for text in ["1", "null", "[]", "\"echo\""] {
            #expect(try read(text).spec == nil)
            #expect(try read(text).problems.count == 1)
        }
    }
}
