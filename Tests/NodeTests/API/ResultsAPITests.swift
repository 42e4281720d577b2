import Glibc
import Raft
import Scheduler
import Testing

@testable import Node

/// Large results and logs, as clients of one node see them.
@Suite struct ResultsAPITests {
    private let api: APIFixture

    init() throws {
        api = try APIFixture()
    }

    private func submit(_ handler: String = "echo") throws -> String {
        let reply = try api.call(
            "POST", "/v1/tasks", "{\"handler\": \"\(handler)\", \"retry\": {\"initial\": \"1ms\"}}")
        return try #require(try reply.json()["id"]?.string)
    }

    private func end(_ id: String, _ result: AttemptResult, log: String = "") throws {
        api.http.turn { api.launched.contains { $0.task.description == id } }
        let assignment = try #require(api.launched.last { $0.task.description == id })
        api.results.write(Array(log.utf8)[...], toLogOf: assignment)
        let finish = Finish(
            task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
            result: result)
        var isDone = false
        api.results.settle(finish) { [api] finish in
            api.gateway.step(.attemptEnded(finish.task, attempt: finish.attempt))
            api.gateway.request(.finish(finish), deadline: .max) { _ in
                api.results.answered(finish)
                isDone = true
            }
        }
        api.http.turn { isDone }
    }

    @Test func `a large result is stored, and got byte for byte`() throws {
        let id = try submit()
        let json = "\"" + String(repeating: "x", count: 300_000) + "\""
        try end(id, .succeeded(Array(json.utf8)))
        let task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["state"]?.string == "succeeded")
        #expect(task["result"]?.isNull == true)
        #expect(task["storedResult"]?["bytes"]?.integer == 300_002)
        #expect(task["storedResult"]?["node"]?.string == "n1")
        #expect(
            task["storedResult"]?["sha256"]?.string == SHA256.hash(Array(json.utf8)).hexadecimal)
        let result = try api.call("GET", "/v1/tasks/\(id)/result")
        #expect(result.status == 200)
        #expect(result.text == json)
        #expect(result.header("content-type") == "application/json")
    }

    @Test func `what is gone or damaged is said to be`() throws {
        let id = try submit()
        try end(id, .succeeded([UInt8](repeating: UInt8(ascii: "7"), count: 70_000)))
        let folder = api.resultFolder.folder.folder("results")
        let name = try #require(try folder.names().first)
        try api.resultFolder.write([1], to: "results/\(name)")
        let damaged = try api.call("GET", "/v1/tasks/\(id)/result")
        #expect(damaged.status == 503)
        #expect(damaged.text.contains("is not what was written there"))
        try api.resultFolder.remove("results/\(name)")
        let gone = try api.call("GET", "/v1/tasks/\(id)/result")
        #expect(gone.status == 410)
        #expect(gone.text.contains("urn:carillon:problem:gone"))
    }

    @Test func `a result that the store can't take fails the attempt`() throws {
        let id = try submit()
        try api.resultFolder.write([1], to: "results")
        try end(id, .succeeded([UInt8](repeating: UInt8(ascii: "7"), count: 70_000)))
        let task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["error"]?["kind"]?.string == "resultStore")
        #expect(task["attempts"]?.elements.first?["outcome"]?.string == "failed")
    }

    @Test func `each attempt has its log`() throws {
        let id = try submit()
        try end(id, .failed(AttemptResult.Failure(message: "no", kind: "exit")), log: "one\n")
        api.http.turn { api.launched.count == 2 }
        let running = try #require(api.launched.last)
        api.results.write(Array("two".utf8)[...], toLogOf: running)
        let open = try api.call("GET", "/v1/tasks/\(id)/logs")
        #expect(open.text == "two")
        #expect(open.header("Carillon-Attempt") == "2")
        try end(id, .succeeded(Array("1".utf8)), log: "+\n")
        let first = try api.call("GET", "/v1/tasks/\(id)/logs?attempt=1")
        #expect(first.status == 200)
        #expect(first.text == "one\n")
        #expect(first.header("content-type") == "text/plain; charset=utf-8")
        #expect(try api.call("GET", "/v1/tasks/\(id)/logs").text == "two+\n")
        let task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["attempts"]?.elements.map { $0["logBytes"]?.integer } == [4, 5])
    }

    @Test func `an attempt without a log has none`() throws {
        let id = try submit()
        try end(id, .succeeded(Array("1".utf8)))
        for path in ["\(id)/logs", "\(id)/logs?attempt=2", "t99/logs", "x/logs"] {
            #expect(try api.call("GET", "/v1/tasks/\(path)").status == 404)
        }
        #expect(try api.call("GET", "/v1/tasks/\(id)/logs?attempt=0").status == 422)
        #expect(try api.call("POST", "/v1/tasks/\(id)/logs").status == 405)
        let task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["attempts"]?.elements.first?["logBytes"]?.isNull == true)
        #expect(task["storedResult"]?.isNull == true)
    }

    @Test func `an attached worker hands over both`() throws {
        let attached = try api.call(
            "POST", "/v1/workers", "{\"id\": \"w\", \"handlers\": [\"h\"], \"slots\": 1}")
        let session = try #require(try attached.json()["session"]?.string)
        let id = try submit("h")
        let json = "[" + String(repeating: "1,", count: 50_000) + "1]"
        let reply = try api.call(
            "POST", "/v1/tasks/\(id)/attempts/1/finish",
            "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": \(json), \"log\": \"hé\"}"
        )
        #expect(reply.status == 200, "\(reply.text)")
        #expect(try api.call("GET", "/v1/tasks/\(id)/result").text == json)
        #expect(try api.call("GET", "/v1/tasks/\(id)/logs").text == "hé")
    }

    @Test func `a report of megabytes is read beside the loop, and refused like any other`() throws
    {
        // One string is read quickly, also by a program that is not optimised: the session must not be lost meanwhile.
        let json = "\"" + String(repeating: "x", count: APILimits.maxObjectBytes) + "\""
        let rest = "\"outcome\": \"succeeded\", \"result\": \(json)"
        let nobody = "/v1/tasks/t99/attempts/1/finish"
        #expect(try api.call("POST", nobody, "{\(rest)").status == 400)
        #expect(try api.call("POST", nobody, "{\(rest)}").status == 422)
        let attached = try api.call(
            "POST", "/v1/workers", "{\"id\": \"w\", \"handlers\": [\"h\"], \"slots\": 1}")
        let session = try #require(try attached.json()["session"]?.string)
        let id = try submit("h")
        let reply = try api.call(
            "POST", "/v1/tasks/\(id)/attempts/1/finish", "{\"session\": \"\(session)\", \(rest)}")
        #expect(reply.status == 200, "\(reply.text)")
        #expect(try api.call("GET", "/v1/tasks/\(id)/result").text == json)
    }

    @Test func `what no task refers to goes by its age, and what one refers to by a longer one`()
        throws
    {
        let id = try submit()
        try end(id, .succeeded([UInt8](repeating: UInt8(ascii: "7"), count: 70_000)), log: "x")
        let names = try api.resultFolder.folder.folder("results").names().compactMap {
            StoredName($0)
        }
        #expect(names.count == 2)
        let now: Milliseconds = 1_000_000_000_000
        var monotonic: Nanoseconds = 1_000_000_000
        let orphan = StoredName(task: TaskID(99), attempt: 1, fence: 1, kind: .result)
        func isSuperfluous(_ name: StoredName, age: Milliseconds) -> Bool {
            api.results.isSuperfluous(
                StoredFile(name: name, modifiedAt: now - age),
                Clock(monotonic: monotonic, wall: now))
        }
        let young = ResultLimits.defaultRetentionMilliseconds
        for (name, young) in names.map({ ($0, young) }) + [
            (orphan, ResultLimits.orphanMilliseconds)
        ] {
            #expect(!isSuperfluous(name, age: young))
            // A clock that jumps makes it old at once; once that has jumped back it is as young as before.
            let old = young + 1
            #expect(!isSuperfluous(name, age: old))
            monotonic += ResultLimits.agedNanoseconds - 1
            #expect(!isSuperfluous(name, age: old))
            #expect(!isSuperfluous(name, age: old - 1))
            monotonic += 1
            #expect(!isSuperfluous(name, age: old))
            monotonic += ResultLimits.agedNanoseconds
            #expect(isSuperfluous(name, age: old))
        }
    }

    @Test func `a sweep removes an orphan`() throws {
        let folder = try putOrphan(api)
        api.results.agedNanoseconds = 0
        api.results.sweepForever { [] }
        api.http.turn { (try? folder.names())?.isEmpty == true }
    }

    @Test func `a node that can't know what the cluster has acknowledged removes nothing`() throws {
        let api = try APIFixture(nodes: ["n1", "n2", "n3"])
        let folder = try putOrphan(api)
        api.results.agedNanoseconds = 0
        api.results.sweepForever { [] }
        // It has waited for as long as it may, and is refused.
        api.gateway.expire(now: api.http.loop.now + ResultLimits.sweepReadNanoseconds)
        // The store does one thing after the other: what the sweep had it do is done when the second list is there.
        var isOver = false
        api.results.store.list { _ in api.results.store.list { _ in isOver = true } }
        api.http.turn { isOver }
        #expect(try folder.names().count == 1)
    }

    /// A file that no task refers to, from the year 2001.
    private func putOrphan(_ api: APIFixture) throws -> StorageFolder {
        let name = StoredName(task: TaskID(99), attempt: 1, fence: 1, kind: .result)
        var isThere = false
        api.results.store.put(name, [7], isDurable: false) { _ in isThere = true }
        api.http.turn { isThere }
        let folder = api.resultFolder.folder.folder("results")
        let instant = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
        try #require(utimensat(AT_FDCWD, folder.path(of: "\(name)"), [instant, instant], 0) == 0)
        return folder
    }
}
