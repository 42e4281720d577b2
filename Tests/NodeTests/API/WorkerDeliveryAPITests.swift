import Scheduler
import Testing

@testable import Node

/// What attached workers are promised: one session for a request to attach, and no second beginning of what must not run twice.
@Suite struct WorkerDeliveryAPITests {
    private let api: APIFixture

    init() throws {
        api = try APIFixture(slots: 0)
    }

    private func request(_ key: String, slots: Int = 2) throws -> APIFixture.Reply {
        try api.call(
            "POST", "/v1/workers",
            "{\"id\": \"w7\", \"handlers\": [\"resize\"], \"slots\": \(slots)}",
            headers: ["Idempotency-Key: \(key)"])
    }

    private func attach(_ key: String) throws -> String {
        try #require(try request(key).json()["session"]?.string)
    }

    private func submit() throws -> String {
        let reply = try api.call(
            "POST", "/v1/tasks", #"{"handler": "resize", "delivery": "atMostOnce"}"#)
        return try #require(try reply.json()["id"]?.string)
    }

    /// Numbers of those that are handed out.
    private func attempts(_ session: String) throws -> [Int64?] {
        try poll(session).map { $0["attempt"]?.integer }
    }

    private func poll(_ session: String) throws -> [JSONValue] {
        let reply = try api.call(
            "GET", "/v1/workers/w7/assignments?session=\(session)&wait=0s")
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.json()["items"]?.elements ?? []
    }

    /// Of the first attempt.
    private func finish(_ task: String, _ body: String) throws -> APIFixture.Reply {
        try api.call("POST", "/v1/tasks/\(task)/attempts/1/finish", body)
    }

    @Test func `what never began is assigned again, even if it must not run twice`() throws {
        let session = try attach("a")
        let id = try submit()
        let begun = "{\"session\": \"\(session)\", \"outcome\": \"succeeded\", \"begun\": false}"
        #expect(try finish(id, begun).status == 422)
        let unbegun = "{\"session\": \"\(session)\", \"outcome\": \"returned\", \"begun\": false}"
        #expect(try finish(id, unbegun).text.contains("running"))
        #expect(try attempts(session) == [2])
        let batch = try api.call(
            "POST", "/v1/workers/w7/finish",
            "{\"session\": \"\(session)\", \"items\": [{\"task\": \"\(id)\", \"attempt\": 2, "
                + "\"outcome\": \"failed\", \"kind\": \"timeout\", \"begun\": false}]}")
        #expect(batch.text.contains("scheduled"), "\(batch.text)")
    }

    @Test func `a worker is told whether a task may run twice`() throws {
        let session = try attach("a")
        #expect(try api.call("POST", "/v1/tasks", #"{"handler": "resize"}"#).status == 201)
        _ = try submit()
        let items = try poll(session)
        #expect(items.map { $0["delivery"]?.string } == ["atLeastOnce", "atMostOnce"])
        func read(_ text: String) -> [TaskSpec.Delivery] {
            AttachedWorkerMessages.assignments(
                Array("{\"items\": [\(text)]}".utf8), worker: "w7"
            ).map(\.delivery)
        }
        let source = items.map(\.source).joined(separator: ",")
        #expect(read(source) == [.atLeastOnce, .atMostOnce])
        // As a server says it that does not know of this.
        let older = source.split(separator: "\"delivery\"").joined(separator: "\"unknown\"")
        #expect(read(older) == [.atMostOnce, .atMostOnce])
    }

    @Test func `what is handed back of a task that must not run twice is dead`() throws {
        let session = try attach("a")
        let id = try submit()
        let back = "{\"session\": \"\(session)\", \"outcome\": \"returned\"}"
        #expect(try finish(id, back).text.contains("dead"))
    }

    @Test func `attaching again with the same key is the same session`() throws {
        let first = try request("a")
        #expect(first.status == 201)
        #expect(try request("a").text == first.text)
        let conflict = try request("a", slots: 3)
        #expect(conflict.status == 409 && conflict.text.contains("key-conflict"))
        #expect(try request(String(repeating: "k", count: 256)).status == 422)
        let second = try request("b")
        #expect(second.text != first.text)
        #expect(try request("a").text == first.text, "late")
        let session = try #require(try second.json()["session"]?.string)
        #expect(try attempts(session).isEmpty)
    }
}
