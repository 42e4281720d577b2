import Scheduler
import Testing

@testable import Node

/// Workers in any language, as they talk to one node.
@Suite struct WorkerSessionsAPITests {
    private let api: APIFixture

    init() throws {
        api = try APIFixture(slots: 0)
    }

    private func attach(slots: Int = 2, id: String = "w7") throws -> String {
        let reply = try api.call(
            "POST", "/v1/workers",
            "{\"id\": \"\(id)\", \"handlers\": [\"resize\"], \"tags\": [\"gpu\"], \"slots\": \(slots)}"
        )
        #expect(reply.status == 201, "\(reply.text)")
        return try #require(try reply.json()["session"]?.string)
    }

    private func submit() throws -> String {
        let reply = try api.call(
            "POST", "/v1/tasks", "{\"handler\": \"resize\", \"payload\": {\"a\": [1]}}")
        return try #require(try reply.json()["id"]?.string)
    }

    private func poll(_ session: String, wait: String = "0s") throws -> [JSONValue] {
        let reply = try api.call(
            "GET", "/v1/workers/w7/assignments?session=\(session)&wait=\(wait)")
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.json()["items"]?.elements ?? []
    }

    /// - Parameter running: pairs of task and attempt.
    private func heartbeat(
        _ session: String, running: [(String, Int)] = []
    ) throws -> APIFixture.Reply {
        let items = running.map { "{\"task\": \"\($0.0)\", \"attempt\": \($0.1)}" }
        return try api.call(
            "POST", "/v1/workers/w7/heartbeat",
            "{\"session\": \"\(session)\", \"running\": [\(items.joined(separator: ","))]}")
    }

    private func finish(_ task: String, _ attempt: Int, _ body: String) throws -> APIFixture.Reply {
        try api.call("POST", "/v1/tasks/\(task)/attempts/\(attempt)/finish", body)
    }

    @Test func `a worker is shown by its id`() throws {
        _ = try attach()
        let worker = try api.call("GET", "/v1/workers/w7")
        #expect(worker.status == 200, "\(worker.text)")
        #expect(try worker.json()["slots"]?.integer == 2)
        let list = try api.call("GET", "/v1/workers").json()
        #expect(list["items"]?.elements.map(\.source) == [worker.text])
        #expect(try api.call("GET", "/v1/workers/w8").status == 404)
    }

    @Test func `it comes, works and leaves`() throws {
        let session = try attach()
        let id = try submit()
        let items = try poll(session)
        #expect(items.count == 1)
        let item = try #require(items.first)
        #expect(item["task"]?.string == id)
        #expect(item["attempt"]?.integer == 1)
        #expect(item["handler"]?.string == "resize")
        #expect(item["payload"].map { String(decoding: $0.raw, as: UTF8.self) } == "{\"a\": [1]}")
        #expect((item["fence"]?.integer ?? 0) > 0)
        let beat = try heartbeat(session, running: [(id, 1)])
        #expect(beat.text == "{\"cancel\":[]}")
        let done = try finish(
            id, 1,
            "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": {\"b\": 2}}")
        #expect(done.status == 200)
        #expect(try api.call("GET", "/v1/tasks/\(id)/result").text == "{\"b\": 2}")
        let workers = try api.call("GET", "/v1/workers").json()["items"]?.elements ?? []
        #expect(workers.map { $0["id"]?.string } == ["w7"])
        let left = try api.call("DELETE", "/v1/workers/w7?session=\(session)")
        #expect(left.status == 204)
        let after = try heartbeat(session)
        #expect(after.status == 409)
        #expect(after.text.contains("session-lost"))
    }

    @Test func `a turn that assigns much is looked at once, and hands out each once`() throws {
        let session = try attach(slots: 40)
        let first = try submit()
        #expect(try poll(session).compactMap { $0["task"]?.string } == [first])
        let tell = api.gateway.onAttachedWorkerChange
        var looks = 0
        api.gateway.onAttachedWorkerChange = {
            looks += 1
            tell($0)
        }
        let body = String(repeating: "{\"handler\": \"resize\"}\n", count: 30)
        let reply = try api.call("POST", "/v1/tasks", body, type: "application/x-ndjson")
        let ids = try reply.json()["items"]?.elements.compactMap { $0["id"]?.string } ?? []
        #expect(ids.count == 30 && (1..<30).contains(looks), "\(looks) looks")
        #expect(try poll(session).compactMap { $0["task"]?.string } == ids)
        #expect(try poll(session).isEmpty)
        // What ends is not handed out, what is not named in two heartbeats is, in order.
        _ = try finish(ids[0], 1, "{\"session\": \"\(session)\", \"outcome\": \"succeeded\"}")
        for _ in 0..<2 { _ = try heartbeat(session, running: ids.dropFirst(3).map { ($0, 1) }) }
        #expect(
            try poll(session).compactMap { $0["task"]?.string } == [first, ids[1], ids[2]])
    }

    @Test func `nobody but the nodes tells of ends`() throws {
        let reply = try api.call(
            "POST", "/v1/workers", #"{"id": "w7", "handlers": ["resize", "webhook"]}"#)
        #expect(reply.status == 422 && reply.text.contains("run by the nodes alone"))
    }

    @Test func `results of others come with the assignment, and stand in its payload`() throws {
        let session = try attach(slots: 4)
        let flow = try api.call(
            "POST", "/v1/tasks",
            #"{"chain": [{"name": "a", "handler": "resize"}, "#
                + #"{"handler": "resize", "payload": {"size": "{{results.a}}"}}]}"#)
        #expect(flow.status == 201, "\(flow.text)")
        let first = try #require(try poll(session).first?["task"]?.string)
        // Text that looks like a place to fill is nothing but a result.
        let result = #"{"w": "{{results.b}}"}"#
        let body =
            "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": \(result)}"
        #expect(try finish(first, 1, body).status == 200)
        let item = try #require(try poll(session).first)
        #expect(item["payload"]?.source == "{\"size\": \(result)}")
        #expect(item["inputs"]?.source == "{\"a\":\(result)}")
        let read = AttachedWorkerMessages.assignments(
            Array("{\"items\": [\(item.source)]}".utf8), worker: "w7")
        #expect(read.first?.inputs == [TaskInput(name: "a", result: Array(result.utf8))])
    }

    @Test func `what the results make too large ends by itself`() throws {
        let session = try attach(slots: 4)
        let places = Array(repeating: "\"{{results.a}}\"", count: 20).joined(separator: ",")
        let large = String(repeating: "x", count: 60_000)
        let flow = try api.call(
            "POST", "/v1/tasks",
            #"{"chain": [{"name": "a", "handler": "resize"}, "#
                + #"{"handler": "resize", "payload": [\#(places)]}]}"#)
        let tasks = try flow.json()["tasks"]?.elements ?? []
        let second = try #require(tasks.last?["id"]?.string)
        let first = try #require(try poll(session).first?["task"]?.string)
        let body =
            "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": \"\(large)\"}"
        #expect(try finish(first, 1, body).status == 200)
        #expect(try poll(session).isEmpty)
        let task = try api.call("GET", "/v1/tasks/\(second)/wait?timeout=10s").json()
        #expect(task["state"]?.string == "dead")
        #expect(task["error"]?["kind"]?.string == "payload")
    }

    @Test func `many ends are told in one report, each on its own`() throws {
        let session = try attach(slots: 4)
        let ids = try (0..<3).map { _ in try submit() }
        #expect(try poll(session).count == 3)
        let body = """
            {"session": "\(session)", "items": [
              {"task": "\(ids[0])", "attempt": 1, "outcome": "succeeded", "result": {"b": 2}},
              {"task": "\(ids[1])", "attempt": 1, "outcome": "failed", "error": "no", "retry": false},
              {"task": "\(ids[2])", "attempt": 2, "outcome": "succeeded"},
              {"task": "t999", "attempt": 1, "outcome": "succeeded"},
              {"task": "\(ids[0])", "attempt": 1, "outcome": "succeeded"}]}
            """
        // The same again: the same.
        for _ in 0..<2 {
            let reply = try api.call("POST", "/v1/workers/w7/finish", body)
            #expect(reply.status == 200, "\(reply.text)")
            let items = try reply.json()["items"]?.elements ?? []
            #expect(
                items.map { $0["state"]?.string } == ["succeeded", "dead", nil, nil, "succeeded"])
            #expect(items[2]["error"]?["status"]?.integer == 409)
            #expect(items[3]["error"]?["status"]?.integer == 404)
        }
        #expect(try api.call("GET", "/v1/tasks/\(ids[0])/result").text == "{\"b\": 2}")
        #expect(try api.call("GET", "/v1/tasks/\(ids[2])").json()["state"]?.string == "running")
        let empty = try api.call(
            "POST", "/v1/workers/w7/finish", "{\"session\": \"\(session)\", \"items\": []}")
        #expect(empty.text == "{\"items\":[]}")
        let wrong = try api.call(
            "POST", "/v1/workers/w7/finish",
            "{\"session\": \"\(session)\", \"items\": [{\"task\": \"t1\", \"attempt\": 1}]}")
        #expect(wrong.status == 422 && wrong.text.contains("/items/0/outcome"))
    }

    @Test func `a question waits until there is something to do`() throws {
        let session = try attach()
        let question = try api.begin(
            "GET", "/v1/workers/w7/assignments?session=\(session)&wait=60s")
        let id = try submit()
        let items = try api.reply(to: question).json()["items"]?.elements ?? []
        #expect(items.map { $0["task"]?.string } == [id])
    }

    @Test func `what was handed out is not handed out again while heartbeats name it`() throws {
        let session = try attach()
        let id = try submit()
        #expect(try poll(session).count == 1)
        for _ in 0..<5 {
            _ = try heartbeat(session, running: [(id, 1)])
            #expect(try poll(session).isEmpty)
        }
    }

    @Test func `a lost answer loses nothing: what no heartbeat names is handed out again`() throws {
        let session = try attach()
        let id = try submit()
        #expect(try poll(session).count == 1)
        // This one may have left before the answer arrived.
        _ = try heartbeat(session)
        #expect(try poll(session).isEmpty)
        _ = try heartbeat(session)
        let again = try poll(session)
        #expect(again.map { $0["task"]?.string } == [id])
    }

    @Test func `what another node handed out is not handed out here once a heartbeat names it`()
        throws
    {
        let session = try attach()
        let id = try submit()
        _ = try heartbeat(session, running: [(id, 1)])
        #expect(try poll(session).isEmpty)
    }

    @Test func `a heartbeat says what to stop`() throws {
        let session = try attach()
        let id = try submit()
        _ = try poll(session)
        #expect(try api.call("DELETE", "/v1/tasks/\(id)").status == 200)
        let beat = try heartbeat(session, running: [(id, 1)])
        #expect(beat.text == "{\"cancel\":[{\"task\":\"\(id)\",\"attempt\":1}]}")
        let late = try finish(id, 1, "{\"session\": \"\(session)\", \"outcome\": \"succeeded\"}")
        #expect(late.status == 409)
    }

    @Test func `a report that is sent again is answered as the first time, another is refused`()
        throws
    {
        let session = try attach()
        let id = try submit()
        let body = "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"result\": 1}"
        #expect(try finish(id, 1, body).status == 200)
        #expect(try finish(id, 1, body).status == 200)
        let other = try finish(
            id, 1, "{\"session\": \"\(session)\", \"outcome\": \"failed\", \"error\": \"no\"}")
        #expect(other.status == 409)
        #expect(try api.call("GET", "/v1/tasks/\(id)/result").text == "1")
    }

    @Test func `a failure says whether and when it may be tried again`() throws {
        let session = try attach()
        let first = try submit()
        let soon = try finish(
            first, 1,
            "{\"session\": \"\(session)\", \"outcome\": \"failed\", \"error\": \"busy\", \"retryAfter\": \"1h\"}"
        )
        #expect(soon.status == 200)
        #expect(try soon.json()["state"]?.string == "scheduled")
        let second = try submit()
        let final = try finish(
            second, 1,
            "{\"session\": \"\(session)\", \"outcome\": \"failed\", \"error\": \"bad\", \"kind\": \"picture\", \"retry\": false}"
        )
        #expect(try final.json()["state"]?.string == "dead")
        let task = try api.call("GET", "/v1/tasks/\(second)").json()
        #expect(task["error"]?["message"]?.string == "bad")
        #expect(task["error"]?["kind"]?.string == "picture")
    }

    @Test func `what is handed back is assigned again`() throws {
        let session = try attach()
        let id = try submit()
        let back = try finish(id, 1, "{\"session\": \"\(session)\", \"outcome\": \"returned\"}")
        #expect(back.status == 200)
        let items = try poll(session)
        #expect(items.map { $0["attempt"]?.integer } == [2])
    }

    @Test func `a later session takes over, and the former one hears of it everywhere`() throws {
        let first = try attach()
        let id = try submit()
        let question = try api.begin(
            "GET", "/v1/workers/w7/assignments?session=\(first)&wait=0s")
        _ = try api.reply(to: question)
        let second = try attach()
        #expect(first != second)
        for reply in [
            try heartbeat(first),
            try api.call("GET", "/v1/workers/w7/assignments?session=\(first)"),
            try api.call("DELETE", "/v1/workers/w7?session=\(first)"),
        ] {
            #expect(reply.status == 409)
            #expect(reply.text.contains("session-replaced"), "\(reply.text)")
        }
        let late = try finish(id, 1, "{\"session\": \"\(first)\", \"outcome\": \"succeeded\"}")
        #expect(late.status == 409)
        let items = try poll(second)
        #expect(items.map { $0["attempt"]?.integer } == [2])
    }

    @Test func `a drained worker gets nothing new`() throws {
        let session = try attach()
        #expect(try api.call("POST", "/v1/workers/w7/drain").status == 200)
        _ = try submit()
        #expect(try poll(session).isEmpty)
        #expect(try heartbeat(session).status == 200)
        #expect(try api.call("POST", "/v1/workers/w7/undrain").status == 200)
        #expect(try poll(session).count == 1)
    }

    @Test(arguments: [
        ("/v1/workers", "{\"id\": \"w7\"}", "/handlers"),
        ("/v1/workers", "{\"id\": \"W 7\", \"handlers\": [\"a\"]}", "/id"),
        ("/v1/workers", "{\"id\": \"w7\", \"handlers\": []}", "/handlers"),
        ("/v1/workers", "{\"id\": \"w7\", \"handlers\": [\"a\"], \"slots\": 0}", "/slots"),
        ("/v1/workers", "{\"id\": \"w7\", \"handlers\": [\"a\"], \"slot\": 1}", "/slot"),
        ("/v1/workers/w7/heartbeat", "{\"running\": []}", "/session"),
        ("/v1/workers/w7/heartbeat", "{\"session\": \"abc\", \"running\": []}", "/session"),
        (
            "/v1/workers/w7/heartbeat",
            "{\"session\": \"8000000000000001\", \"running\": [{\"task\": \"t1\"}]}",
            "/running/0/attempt"
        ),
        (
            "/v1/tasks/t1/attempts/1/finish",
            "{\"session\": \"8000000000000001\", \"outcome\": \"succeeded\", \"error\": \"no\"}",
            "/error"
        ),
        (
            "/v1/tasks/t1/attempts/1/finish",
            "{\"session\": \"8000000000000001\", \"outcome\": \"failed\", \"result\": 1}", "/result"
        ),
    ])
    func `what does not validate is named`(path: String, body: String, pointer: String) throws {
        let reply = try api.call("POST", path, body)
        #expect(reply.status == 422)
        #expect(reply.text.contains("\"pointer\":\"\(pointer)\""), "\(reply.text)")
    }

    @Test func `unknown workers, tasks and paths are told apart`() throws {
        let session = try attach()
        let nobody = try api.call("GET", "/v1/workers/w8/assignments?session=\(session)")
        #expect(nobody.status == 404)
        let body = "{\"session\": \"\(session)\", \"outcome\": \"succeeded\"}"
        #expect(try finish("t999", 1, body).status == 404)
        #expect(try api.call("POST", "/v1/tasks/t1/attempts/x/finish", body).status == 404)
        #expect(try api.call("POST", "/v1/tasks/t1/attempts/1/start", body).status == 404)
        #expect(try api.call("GET", "/v1/workers/w7/heartbeat").status == 405)
        let node = try api.call("POST", "/v1/workers", "{\"id\": \"n1\", \"handlers\": [\"a\"]}")
        #expect(node.status == 409)
    }

    @Test func `progress is seen, of the current attempt only`() throws {
        let session = try attach()
        let id = try submit()
        func report(_ attempt: Int, _ body: String) throws -> APIFixture.Reply {
            try api.call(
                "POST", "/v1/tasks/\(id)/attempts/\(attempt)/progress",
                "{\"session\": \"\(session)\"\(body)}")
        }
        #expect(try report(1, ", \"progress\": 40, \"note\": \"half way\"").status == 204)
        // The answer does not wait for the log.
        api.http.turn { self.progress(of: id) != nil }
        var task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["progress"]?.integer == 40)
        #expect(task["progressNote"]?.string == "half way")
        // Within a second of the one before: it comes into the log a little later.
        #expect(try report(1, ", \"progress\": 60").status == 204)
        let newest = TaskProgress(percent: 60, note: "half way")
        api.http.turn { self.progress(of: id) == newest }
        #expect(try report(2, ", \"progress\": 80").status == 409)
        #expect(try report(1, "").status == 422)
        #expect(try report(1, ", \"progress\": 101").status == 422)
        let done = try finish(id, 1, "{\"session\": \"\(session)\", \"outcome\": \"succeeded\"}")
        #expect(done.status == 200)
        #expect(try report(1, ", \"progress\": 90").status == 409)
        task = try api.call("GET", "/v1/tasks/\(id)").json()
        #expect(task["progress"]?.integer == 60)
    }

    private func progress(of id: String) -> TaskProgress? {
        TaskID(id).flatMap { api.gateway.replica.scheduler.task($0)?.progress }
    }
}
