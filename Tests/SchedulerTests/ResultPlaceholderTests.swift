import Testing

@testable import Scheduler

struct ResultPlaceholderTests {
    private func fill(
        _ payload: String,
        _ inputs: [(String, String?)] = [
            ("t1", #" {"a": [1, "x"]} "#), ("t2", #""say \"hi\"""#), ("t30", "1e400"), ("t4", nil),
        ]
    ) throws -> String {
        let assignment = Assignment(
            worker: "w", incarnation: 1, task: TaskID(9), attempt: 1, fence: 1, handler: "h",
            payload: Array(payload.utf8), timeoutMilliseconds: 1, scheduledAt: 0, assignedAt: 0,
            occurrence: nil, schedule: nil,
            inputs: inputs.map { TaskInput(name: $0, result: $1.map { Array($0.utf8) }) })
        return String(decoding: try assignment.filled().payload, as: UTF8.self)
    }

    @Test(arguments: [
        (#""{{results.t1}}""#, #"{"a": [1, "x"]}"#),
        (
            #"{"v": "{{results.t2}}", "n":["{{results.t30}}","{{results.t4}}"]}"#,
            #"{"v": "say \"hi\"", "n":[1e400,null]}"#
        ),
        (#""all: {{results.t1}}!""#, #""all: {\"a\": [1, \"x\"]}!""#),
        (#""{{results.t2}}{{results.t30}}""#, #""say \"hi\"1e400""#),
        (#""\"{{results.t30}}""#, #""\"1e400""#), (#"{"{{results.t30}}" : 1}"#, #"{"1e400" : 1}"#),
        (#"{"{{results.t1}}": 1}"#, #"{"{\"a\": [1, \"x\"]}": 1}"#),
        (#""{{results.t1""#, #""{{results.t1""#), (#""{{payload}}""#, #""{{payload}}""#),
        ("1", "1"),
    ])
    func resultsTakeTheirPlaces(payload: String, expected: String) throws {
        #expect(try fill(payload) == expected)
    }

    @Test
    func aTaskThatWaitsForNothingIsLeftAlone() throws {
        #expect(try fill(#""{{results.t1}}""#, []) == #""{{results.t1}}""#)
    }

    @Test
    func unknownTasksAndLargePayloadsAreErrors() throws {
        let unknown = #expect(throws: PlaceholderError.self) { try fill(#""{{results.t3}}""#) }
        #expect(unknown?.description.contains("\"t3\"") == true)
        let result = String(repeating: "1", count: Limits.maxResultBytes)
        let places = [String](repeating: "\"{{results.t1}}\"", count: 17).joined(separator: ",")
        #expect(throws: PlaceholderError.self) { try fill("[\(places)]", [("t1", result)]) }
        #expect(
            try fill(String(repeating: #""{{results.t1}}""#, count: 15), [("t1", result)]).count
                == 15 * result.count)
    }

    @Test
    func assignmentsCarryTheResults() throws {
        var machine = Machine()
        try machine.register("w", slots: 4)
        let good = try machine.submit(.h())
        let bad = try machine.submit(.h { $0.retry.attempts = 1 })
        let next = try machine.submit(
            .h {
                $0.after = [good, bad]
                $0.onDependencyFailure = .run
                $0.retry.attempts = 2
                $0.retry.initialMilliseconds = 0
            })
        try machine.finish(good, .succeeded(Array("7".utf8)))
        try machine.finish(bad, .error())
        let inputs = [
            TaskInput(name: "t1", result: Array("7".utf8)), TaskInput(name: "t2", result: nil),
        ]
        #expect(machine.current(next)?.inputs == inputs)
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        try machine.finish(next, .error())
        #expect(machine.current(next)?.attempt == 2)
        #expect(machine.current(next)?.inputs == inputs, "another attempt gets the same")
    }
}
