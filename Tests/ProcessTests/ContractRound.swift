import Foundation
import Testing

@testable import Node

/// A cluster of three whose nodes are asked in turn: each request goes to another node than the one before.
final class ContractRound {
    let cluster: ClusterFixture
    private let clients: [NodeClient]
    private var turn = 0

    /// `sections`: what the configuration has beside its nodes, as it stands in JSON.
    init(sections: String? = nil) throws {
        let cluster = try ClusterFixture()
        if let sections { try cluster.configure(sections) }
        try cluster.startAll()
        self.cluster = cluster
        clients = cluster.ids.map { cluster.client($0) }
    }

    var next: NodeClient {
        turn += 1
        return clients[turn % clients.count]
    }

    @discardableResult
    func call(
        _ method: String, _ target: String, _ body: String = "", status: Int = 200,
        key: String? = nil, contentType: String = "application/json"
    ) throws -> JSONValue {
        let response = try next.send(method, target, body, key: key, contentType: contentType)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == status, "\(method) \(target): \(text)")
        guard !response.body.isEmpty else { return try JSONDocument(Array("null".utf8)).root }
        return try JSONDocument(response.body).root
    }

    func text(_ target: String, status: Int = 200) throws -> String {
        let response = try next.send("GET", target)
        #expect(response.status == status, "\(target)")
        return String(decoding: response.body, as: UTF8.self)
    }

    /// The task's id.
    func submit(_ body: String, key: String? = nil) throws -> String {
        try #require(try call("POST", "/v1/tasks", body, status: 201, key: key)["id"]?.string)
    }

    @discardableResult
    func await(_ state: String, _ id: String) throws -> JSONValue {
        let task = try call("GET", "/v1/tasks/\(id)/wait?timeout=20s")
        #expect(task.state == state, "\(task.source)")
        return task
    }

    static func ids(_ page: JSONValue, _ field: String = "id") -> [String] {
        (page["items"]?.elements ?? []).map { $0.shown(field) }
    }
}
