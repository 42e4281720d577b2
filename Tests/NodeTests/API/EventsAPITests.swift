import Scheduler
import Testing

@testable import Node

@Suite struct EventsAPITests {
    private func submit(_ fixture: APIFixture, queue: String = "default") throws -> String {
        let reply = try fixture.call(
            "POST", "/v1/tasks", "{\"handler\": \"echo\", \"queue\": \"\(queue)\"}")
        return try #require(try reply.json()["id"]?.string)
    }

    private func events(in text: String) throws -> [JSONValue] {
        // By bytes: to Swift, CR LF is one character, and no line feed.
        try text.utf8.split(separator: UInt8(ascii: "\n"))
            .filter { $0.starts(with: "data: ".utf8) }
            .map { try JSONDocument(Array($0.dropFirst(6))).root }
    }

    private func types(_ client: HTTPProbe) throws -> [String] {
        try events(in: client.text).map { try #require($0["type"]?.string) }
    }

    @Test func whoFollowsIsTold() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let follower = try fixture.begin("GET", "/v1/events")
        follower.receive { $0.contains(":\n") }
        #expect(follower.text.contains("content-type: text/event-stream"))
        // Who comes again goes on from here, whatever it was told.
        follower.receive { $0.contains("\nid: ") }
        let task = try submit(fixture, queue: "mail")
        try fixture.finish(task, .succeeded(Array("1".utf8)))
        follower.receive { $0.contains("task.succeeded") }
        #expect(try types(follower) == ["task.running", "task.succeeded"])
        let last = try #require(try events(in: follower.text).last)
        #expect(last["task"]?.string == task && last["queue"]?.string == "mail")
        #expect(last["worker"]?.string == "n1" && last["attempt"]?.integer == 1)
    }

    @Test func filtersChoose() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let mail = try fixture.begin("GET", "/v1/events?queue=mail&type=task.running")
        let workers = try fixture.begin("GET", "/v1/events?type=worker")
        mail.receive { $0.contains(":\n") }
        workers.receive { $0.contains(":\n") }
        _ = try submit(fixture)
        let wanted = try submit(fixture, queue: "mail")
        _ = try fixture.call("POST", "/v1/workers/n1/drain")
        mail.receive { $0.contains(wanted) }
        workers.receive { $0.contains("worker.draining") }
        #expect(try types(mail) == ["task.running"])
        #expect(try types(workers) == ["worker.draining"])
    }

    @Test func whoComesBackGoesOnWhereItWas() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let first = try fixture.begin("GET", "/v1/events?type=task")
        first.receive { $0.contains(":\n") }
        let task = try submit(fixture)
        first.receive { $0.contains("task.running") }
        let seen = try #require(try events(in: first.text).first?["id"]?.string)
        try fixture.finish(task, .succeeded(Array("1".utf8)))
        let second = try fixture.begin(
            "GET", "/v1/events?type=task", headers: ["last-event-id: \(seen)"])
        second.receive { $0.contains("task.succeeded") }
        #expect(try types(second) == ["task.succeeded"])
        let third = try fixture.begin("GET", "/v1/events?type=task&lastEventId=\(seen)")
        third.receive { $0.contains("task.succeeded") }
    }

    @Test func whatIsNotHeldAnyMoreIsSaid() throws {
        let fixture = try APIFixture(feedRecords: 2)
        for _ in 0..<3 { _ = try submit(fixture) }
        let follower = try fixture.begin("GET", "/v1/events?lastEventId=1-0")
        follower.receive { $0.contains("task.running") }
        let told = try types(follower)
        #expect(told.first == "gap" && told.count == 3)
    }

    @Test func ofWhatIsGoneNobodyCanTellWhoseItWas() {
        for namespace in [Namespace.standard, Namespace(name: "shop")] {
            var filter = EventFilter()
            filter.namespace = namespace
            #expect(!filter.matches(.task(TaskID(5), .succeeded, nil)))
            let queue = namespace.qualified("q")
            let subject = TaskSubject(queue: queue, handler: "h")
            #expect(filter.matches(.task(TaskID(5), .succeeded, subject)))
        }
    }

    @Test func whoIsAheadOfAllNodesIsToldWhatComes() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let follower = try fixture.begin("GET", "/v1/events?lastEventId=999999-0&type=task")
        follower.receive { $0.contains(":\n") }
        _ = try submit(fixture)
        follower.receive { $0.contains("task.running") }
        #expect(try types(follower) == ["task.running"])
    }

    @Test func oneThatTakesNothingIsDropped() throws {
        let fixture = try APIFixture(feedRecords: 4_000)
        let follower = try fixture.begin("GET", "/v1/events")
        follower.receive { $0.contains(":\n") }
        // Nobody reads: the socket's buffers fill, then the node's bound is reached, then the feed moves on.
        let body = String(repeating: "{\"handler\": \"echo\", \"delay\": \"1h\"}\n", count: 2_000)
        for _ in 0..<20 {
            let reply = try fixture.call(
                "POST", "/v1/tasks", body, type: "application/x-ndjson")
            #expect(reply.status == 200)
        }
        follower.receive { $0.hasSuffix("0\r\n\r\n") }
        let told = try events(in: follower.text)
        let last = try #require(told.last)
        #expect(told.count > 100 && last["type"]?.string == "end")
        #expect(last["reason"]?.string?.hasPrefix("too slow") == true)
    }

    @Test func oneThatWaitsBehindAnotherAnswerMissesNothingUnsaid() throws {
        let fixture = try APIFixture(feedRecords: 4_000)
        let task = try submit(fixture)
        let follower = try fixture.begin("GET", "/v1/tasks/\(task)/wait?timeout=60s")
        follower.send("GET /v1/events HTTP/1.1\r\nhost: test\r\n\r\n")
        let body = String(repeating: "{\"handler\": \"echo\", \"delay\": \"1h\"}\n", count: 2_000)
        for _ in 0..<6 {
            let reply = try fixture.call(
                "POST", "/v1/tasks", body, type: "application/x-ndjson")
            #expect(reply.status == 200)
        }
        try fixture.finish(task, .succeeded(Array("1".utf8)))
        follower.receive { $0.hasSuffix("0\r\n\r\n") }
        let told = try events(in: follower.text)
        #expect(told.count > 100 && told.last?["type"]?.string == "end")
        let tasks = told.compactMap { $0["task"]?.string }
        #expect(tasks == (2..<tasks.count + 2).map { "t\($0)" })
    }

    @Test func whatHappenedLatelyIsAList() throws {
        let fixture = try APIFixture(feedRecords: 100)
        for _ in 0..<3 { _ = try submit(fixture) }
        let path = "/v1/events?follow=false&type=task.running&limit=2"
        let page = try fixture.call("GET", path).json()
        #expect(page["items"]?.elements.map { $0["task"]?.string } == ["t3", "t2"])
        let next = try #require(page["next"]?.string)
        let rest = try fixture.call("GET", path + "&cursor=\(next)").json()
        #expect(rest["items"]?.elements.map { $0["task"]?.string } == ["t1"])
        #expect(rest["next"]?.isNull == true)
    }

    @Test func mistakesAreTold() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let reply = try fixture.call(
            "GET", "/v1/events?type=tusk&task=x&lastEventId=7&limit=3&colour=red")
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == ["?task", "?type", "?lastEventId", "?limit", "?colour"])
    }

    @Test func aWebSocketIsToldToo() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let upgrade = [
            "connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        let client = try fixture.begin("GET", "/v1/events?type=task", headers: upgrade)
        client.receive { $0.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") }
        #expect(client.text.hasPrefix("HTTP/1.1 101 "))
        _ = try submit(fixture)
        client.receive { $0.contains("task.running") }
        // A masked ping is answered, a close ends it.
        client.send([0x89, 0x81, 1, 2, 3, 4, UInt8(ascii: "x") ^ 1])
        client.receive { _ in client.received.suffix(3) == [0x8A, 0x01, UInt8(ascii: "x")] }
        client.send([0x88, 0x80, 0, 0, 0, 0])
        client.receiveToEnd()
        let foreign = try fixture.call(
            "GET", "/v1/events", headers: upgrade + ["origin: https://elsewhere.example"])
        #expect(foreign.status == 403)
        let old = try fixture.call(
            "GET", "/v1/events", headers: ["connection: upgrade", "upgrade: websocket"])
        #expect(old.status == 426)
    }

    @Test func aNodeThatLeavesSaysSo() throws {
        let fixture = try APIFixture(feedRecords: 100)
        let follower = try fixture.begin("GET", "/v1/events")
        follower.receive { $0.contains(":\n") }
        fixture.api.drain()
        follower.receive { $0.contains("this node leaves") && $0.hasSuffix("0\r\n\r\n") }
    }
}
