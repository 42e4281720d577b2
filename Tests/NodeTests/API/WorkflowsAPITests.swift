import Testing

@testable import Node
@testable import Scheduler

struct WorkflowsAPITests {
    private func read(_ text: String) throws -> (graph: GraphSpec?, problems: [String]) {
        var reader = JSONReader(try JSONDocument(text).root)
        var graphReader = GraphReader { _ in nil }
        let graph = graphReader.read(&reader)
        reader.finish()
        return (graph, reader.problems.map(\.description))
    }

    private func edges(_ text: String) throws -> [[UInt32]]? {
        let (graph, problems) = try read(text)
        #expect(problems.isEmpty, "\(text)")
        return graph?.items.map(\.after)
    }

    private let task = #"{"handler": "echo"}"#

    @Test func tasksHaveThePriorityOfTheirQueue() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("PUT", "/v1/queues/mail", #"{"priority": 8}"#)
        let flow = try fixture.call(
            "POST", "/v1/tasks",
            #"{"chain": [{"handler": "none", "queue": "mail"}, "#
                + #"{"handler": "none", "queue": "mail", "priority": 1}, {"handler": "none"}]}"#)
        #expect(flow.status == 201, "\(flow.text)")
        let tasks = try fixture.call("GET", "/v1/tasks").json()["items"]?.elements ?? []
        #expect(tasks.map { $0["priority"]?.integer } == [5, 1, 8])
    }

    @Test func chainsAndGroupsBecomeEdges() throws {
        let t = task
        #expect(try edges(#"{"chain": [\#(t), \#(t), \#(t)]}"#) == [[], [0], [1]])
        #expect(try edges(#"{"group": [\#(t), \#(t)], "then": \#(t)}"#) == [[], [], [0, 1]])
        #expect(try edges(#"{"group": [\#(t), \#(t)]}"#) == [[], []])
        let inner = #"{"group": [\#(t), {"chain": [\#(t), \#(t)]}]}"#
        #expect(
            try edges(#"{"chain": [\#(t), \#(inner), \#(t)]}"#) == [[], [0], [0], [2], [1, 3]])
    }

    @Test func resultsAreThoseOfTasksThatAreWaitedFor() throws {
        let (_, problems) = try read(
            """
            {"chain": [
              {"handler": "echo", "name": "page", "payload": "{{results.text}}"},
              {"group": [
                {"handler": "echo", "name": "a", "payload": ["{{results.page}}", "{{results.pgae}}"]},
                {"handler": "echo", "after": ["t7"], "payload": "{{results.t7}}"}]},
              {"handler": "echo", "payload": "{{results.page}}"},
              {"handler": "echo", "after": ["page"], "payload": "of {{results.page}}"}]}
            """)
        #expect(
            problems == [
                "/chain/1/group/0/payload: wants the result of \"pgae\", which the task does not wait for (\"after\")",
                "/chain/2/payload: wants the result of \"page\", which the task does not wait for (\"after\")",
            ])
    }

    @Test func namesStandForTasksWhereverTheyAre() throws {
        let (graph, problems) = try read(
            """
            {"group": [
              {"handler": "echo", "name": "last", "after": ["first", "t7"], "onDependencyFailure": "run"},
              {"handler": "echo", "name": "first"}
            ], "key": "k"}
            """)
        #expect(problems.isEmpty)
        #expect(graph?.items.map(\.name) == ["first", "last"] && graph?.key == "k")
        #expect(graph?.items[1].after == [0] && graph?.items[1].spec.after == [TaskID(7)])
        #expect(graph?.items[1].spec.onDependencyFailure == .run)
    }

    @Test(arguments: [
        (#"{"chain": []}"#, "/chain: must not be empty"), (#"{"group": 1}"#, "/group: expected"),
        (#"{"chain": [{"handler": "echo", "key": "k"}]}"#, "/chain/0/key: does not belong"),
        (
            #"{"chain": [{"handler": "echo", "after": ["x"]}]}"#,
            "/chain/0/after/0: \"x\" is no task"
        ),
        (#"{"chain": [{"handler": "echo", "name": "t1"}]}"#, "/chain/0/name: \"t1\" could be"),
        (#"{"chain": [{"handler": "echo"}], "then": {"handler": "echo"}}"#, "/then: can't stand"),
        (#"{"chain": [{"group": [{"handlr": "echo"}]}]}"#, "/chain/0/group/0/handler: is required"),
        (
            #"{"group": [{"handler": "echo", "name": "a", "after": ["b"]}, {"handler": "echo", "name": "b", "after": ["a"]}]}"#,
            "/group/0: waits, directly or not"
        ),
        (
            #"{"chain": [{"handler": "echo", "name": "a", "after": ["b"]}, {"handler": "echo", "name": "b"}]}"#,
            "/chain/0: waits, directly or not"
        ),
    ])
    func mistakesAreToldWithTheirPlaces(text: String, problem: String) throws {
        let (graph, problems) = try read(text)
        #expect(graph == nil)
        #expect(problems.contains { $0.hasPrefix(problem) }, "\(problems)")
    }

    @Test func limitsHold() throws {
        let many = [String](repeating: task, count: Limits.maxGraphTasks + 1)
        #expect(try read(#"{"group": [\#(many.joined(separator: ","))]}"#).graph == nil)
        let row = #"{"group": [\#([String](repeating: task, count: 110).joined(separator: ","))]}"#
        #expect(try read(#"{"chain": [\#(row), \#(row)]}"#).graph == nil, "12,100 edges")
        var deep = task
        for _ in 0..<APILimits.maxGraphDepth + 1 { deep = #"{"chain": [\#(deep)]}"# }
        #expect(try read(deep).problems.contains { $0.contains("chains and groups deep") })
    }

    @Test func aWorkflowRunsAndTellsHowFarItIs() throws {
        let fixture = try APIFixture()
        let text = #"{"chain": [{"handler": "echo", "name": "a"}, {"handler": "echo"}]}"#
        let reply = try fixture.call("POST", "/v1/tasks", text, headers: ["idempotency-key: k"])
        #expect(reply.status == 201)
        #expect(
            reply.text
                == #"{"id":"w1","tasks":[{"id":"t1","name":"a"},{"id":"t2","name":null}]}"#)
        let again = try fixture.call("POST", "/v1/tasks", text, headers: ["idempotency-key: k"])
        #expect(again.status == 200 && again.text == reply.text)
        try fixture.finish("t1", .succeeded(Array("1".utf8)))
        let state = try fixture.call("GET", "/v1/workflows/w1").json()
        #expect(state["state"]?.string == "running" && state["progress"]?.integer == 50)
        #expect(state["counts"]?["succeeded"]?.integer == 1)
        let listed = try fixture.call("GET", "/v1/tasks?workflow=w1").json()
        #expect(listed["items"]?.elements.map { $0["workflow"]?.string } == ["w1", "w1"])
        let cancelled = try fixture.call("DELETE", "/v1/workflows/w1")
        #expect(try cancelled.json()["state"]?.string == "failed")
        #expect(try fixture.call("DELETE", "/v1/workflows/w1").status == 409)
        #expect(try fixture.call("GET", "/v1/workflows/w9").status == 404)
        #expect(try fixture.call("GET", "/v1/workflows/t1").status == 404)
        #expect(try fixture.call("GET", "/v1/tasks?workflow=t1").status == 422)
    }

    @Test func whatIsNotThereIsToldWithItsPlace() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "POST", "/v1/tasks",
            #"{"group": [{"handler": "echo"}], "then": {"handler": "echo", "after": ["t9"]}}"#)
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string } == ["/then/after/0"])
    }
}
