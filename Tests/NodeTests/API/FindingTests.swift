import Testing

@testable import Node
@testable import Scheduler

@Suite struct FindingTests {
    /// More than one turn of the loop may look at.
    @Test func aRareTaskIsFoundOnTheFirstPage() throws {
        let fixture = try APIFixture(slots: 0)
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "rare"}"#)
        let many = String(repeating: #"{"handler":"echo"},"#, count: 9_999) + #"{"handler":"echo"}"#
        for _ in 0..<3 {
            #expect(try fixture.call("POST", "/v1/tasks", "[" + many + "]").status == 200)
        }
        let page = try fixture.call("GET", "/v1/tasks?q=rar").json()
        #expect(page["items"]?.elements.map { $0["id"]?.string } == ["t1"])
        #expect(page["next"]?.isNull == true)
        let full = try fixture.call("GET", "/v1/tasks?limit=1000").json()
        #expect(full["items"]?.elements.count == 1_000)
        #expect(full["items"]?.elements.first?["id"]?.string == "t30001")
        #expect(full["next"]?.string == "t29002")
    }

    @Test func scansTakeTurns() {
        var nextTurn: [() -> Void] = []
        let queue = ScanQueue { nextTurn.append($0) }
        var log: [String] = []
        func add(_ name: String, portions: Int) {
            var rest = portions
            queue.add { budget in
                log.append(name)
                rest -= 1
                return ScanQueue.Step(spent: budget, isDone: rest == 0)
            }
        }
        func turn() {
            let due = nextTurn
            nextTurn = []
            for body in due { body() }
        }
        add("a", portions: 3)
        add("b", portions: 1)
        add("c", portions: 2)
        #expect(log == ["a"])
        for _ in 0..<5 { turn() }
        #expect(log == ["a", "a", "b", "c", "a", "c"])
        turn()
        #expect(nextTurn.isEmpty)
    }

    @Test func explanationNamesEverything() throws {
        let fixture = try APIFixture(slots: 1)
        _ = try fixture.call("POST", "/v1/queues/mail/pause")
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "nobody"}"#)
        _ = try fixture.call(
            "POST", "/v1/tasks",
            #"{"handler": "echo", "queue": "mail", "after": ["t1"], "tags": ["gpu"], "expires": "1h"}"#
        )
        let reply = try fixture.call("GET", "/v1/tasks/t2/explain").json()
        #expect(reply["state"]?.string == "blocked" && reply["expiresAt"]?.string != nil)
        let found = reply["constraints"]?.elements ?? []
        #expect(
            found.map { $0["constraint"]?.string } == [
                "dependency", "queuePaused", "noWorkerWithTags",
            ])
        #expect(
            found.map { $0["detail"]?.string } == [
                "it waits for t1, which is ready", #"queue "mail" is paused"#,
                #"no live worker with handler "echo" has tag "gpu""#,
            ])
        #expect(found[1]["release"]?.string == "carillon queue resume mail")
        let first = try fixture.call("GET", "/v1/tasks/t1/explain").json()
        #expect(
            first["constraints"]?.elements.map { $0["detail"]?.string }
                == [#"no live worker has handler "nobody""#])
        let later = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "delay": "1h"}"#)
        #expect(later.status == 201)
        let due = try fixture.call("GET", "/v1/tasks/t3/explain").json()
        #expect(
            try due["constraints"]?.elements.first?["until"]?.string
                == later.json()["runAt"]?.string)
        #expect(try fixture.call("GET", "/v1/tasks/t9/explain").status == 404)
    }
}
