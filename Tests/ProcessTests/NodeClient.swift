import Foundation

@testable import Node

/// Talks to one node or to several in turn, with the client of the command line. For one thread.
final class NodeClient {
    private let client: ClusterClient
    let endpoints: [Endpoint]

    init(_ endpoints: [Endpoint]) {
        self.endpoints = endpoints
        client = ClusterClient(servers: endpoints, token: nil)
    }

    func send(_ request: ClientRequest) throws -> ClientResponse {
        try client.send(request)
    }

    func send(
        _ method: String, _ target: String, _ body: String = "", key: String? = nil,
        contentType: String = "application/json"
    ) throws -> ClientResponse {
        var request = ClientRequest(
            method: method, target: target, body: Array(body.utf8), contentType: contentType,
            isRepeatable: method == "GET" || key != nil)
        request.idempotencyKey = key
        return try client.send(request)
    }

    /// The JSON of a successful reply.
    func json(
        _ method: String, _ target: String, _ body: String = "", key: String? = nil
    ) throws -> JSONValue {
        let response = try send(method, target, body, key: key)
        guard response.isSuccess else {
            throw WaitFailure(
                description: "\(method) \(target): \(response.status) "
                    + String(decoding: response.body, as: UTF8.self))
        }
        return try JSONDocument(response.body).root
    }

    /// Submits and returns the id.
    func submit(_ body: String, key: String? = nil) throws -> String {
        let task = try json("POST", "/v1/tasks", body, key: key)
        guard let id = task["id"]?.string else {
            throw WaitFailure(description: "no id in \(task.source)")
        }
        return id
    }

    func task(_ id: String) throws -> JSONValue {
        try json("GET", "/v1/tasks/\(id)")
    }

    /// Submits again and again until a node takes it. The key makes that safe.
    func submitSurely(
        _ body: String, key: String, withinSeconds seconds: Double = 60
    ) throws -> String {
        var id: String?
        try eventually("task \(key) is accepted", withinSeconds: seconds) {
            guard let response = try? send("POST", "/v1/tasks", body, key: key) else {
                return false
            }
            if response.status == 429 || response.status == 503 { return false }
            guard response.isSuccess else {
                throw WaitFailure(
                    description: "\(key): \(response.status) "
                        + String(decoding: response.body, as: UTF8.self))
            }
            id = try JSONDocument(response.body).root["id"]?.string
            return true
        }
        guard let id else { throw WaitFailure(description: "no id for \(key)") }
        return id
    }

    /// All tasks that match, over all pages.
    func tasks(_ query: String = "") throws -> [JSONValue] {
        var tasks: [JSONValue] = []
        var cursor: String?
        repeat {
            let next = cursor.map { "&cursor=" + PercentEncoding.encode($0) } ?? ""
            let page = try json("GET", "/v1/tasks?limit=1000\(query)\(next)")
            tasks += page["items"]?.elements ?? []
            cursor = page["next"]?.string
        } while cursor != nil
        return tasks
    }

    /// Waits until all these tasks have ended, and returns them in the order of the ids.
    func awaitEnd(of ids: [String], withinSeconds seconds: Double = 120) throws -> [JSONValue] {
        let end = Date().addingTimeInterval(seconds)
        return try ids.map { id in
            var final: JSONValue?
            let rest = max(1, end.timeIntervalSinceNow)
            try eventually("task \(id) ends", withinSeconds: rest) {
                guard let task = try? json("GET", "/v1/tasks/\(id)/wait?timeout=5s") else {
                    return false
                }
                guard TaskFinder.finalStates.contains(task["state"]?.string ?? "") else {
                    return false
                }
                final = task
                return true
            }
            guard let final else { throw WaitFailure(description: "task \(id) is gone") }
            return final
        }
    }
}

extension JSONValue {
    var state: String { self["state"]?.string ?? "" }

    /// Outcomes of the attempts, oldest first.
    var outcomes: [String] {
        (self["attempts"]?.elements ?? []).map { $0["outcome"]?.string ?? "?" }
    }
}
