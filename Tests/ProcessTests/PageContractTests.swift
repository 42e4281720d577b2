import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// What is not JSON over one request and one answer: pages, and connections that stay.
    struct PageContractTests {
        /// Bytes as they come, for what the client of the command line does not speak.
        private final class Wire {
            private let socket: ClientSocket
            private(set) var received: [UInt8] = []

            init(_ endpoint: Endpoint) throws {
                socket = try ClientSocket.connect(to: endpoint, deadline: Self.deadline)
            }

            private static var deadline: Int64 { SystemClock.monotonicMilliseconds() + 20_000 }

            var text: String { String(decoding: received, as: UTF8.self) }

            func send(_ bytes: [UInt8]) throws { try socket.send(bytes, deadline: Self.deadline) }

            func get(_ target: String, headers: [String]) throws {
                let lines = ["GET \(target) HTTP/1.1", "host: test"] + headers + ["", ""]
                try send(Array(lines.joined(separator: "\r\n").utf8))
            }

            func receive(until isEnough: () -> Bool) throws {
                let deadline = Self.deadline
                while !isEnough() {
                    guard try socket.receive(into: &received, deadline: deadline) else {
                        throw WaitFailure(description: "closed after: \(text)")
                    }
                }
            }
        }

        @Test func `pages and the specification`() throws {
            let round = try ContractRound()
            for _ in round.cluster.ids {
                #expect(try round.text("/").hasPrefix("<!DOCTYPE html>"))
                let specification = try round.call("GET", "/openapi.json")
                #expect(specification["paths"]?["/v1/tasks"] != nil)
                #expect(try round.text("/metrics").contains("carillon_"))
                #expect(try round.text("/healthz").isEmpty == false)
            }
        }

        @Test func `templates and namespaces`() throws {
            let round = try ContractRound()
            try round.call(
                "PUT", "/v1/templates/greet",
                #"{"params": {"name": null}, "task": {"handler": "echo", "payload": "Hi {{params.name}}"}}"#,
                status: 201)
            let id = try round.submit(#"{"template": "greet", "params": {"name": "Ann"}}"#)
            #expect(try round.await("succeeded", id)["result"]?.string == "Hi Ann")
            try round.call("DELETE", "/v1/templates/greet", status: 204)
            try round.call("GET", "/v1/templates/greet", status: 404)
            try round.call(
                "PUT", "/v1/namespaces/shop", #"{"quotas": {"pending": 1}}"#, status: 201)
            let later = #"{"handler": "echo", "delay": "1h"}"#
            let first = try round.call("POST", "/v1/namespaces/shop/tasks", later, status: 201)
            try round.call("POST", "/v1/namespaces/shop/tasks", later, status: 429)
            let task = first.shown("id")
            try round.call("GET", "/v1/tasks/\(task)", status: 404)
            try round.call("DELETE", "/v1/namespaces/shop", status: 409)
            try round.call("DELETE", "/v1/namespaces/shop/tasks/\(task)")
            try round.call("DELETE", "/v1/namespaces/shop/tasks/\(task)?purge=true", status: 204)
            try round.call("DELETE", "/v1/namespaces/shop", status: 204)
        }

        /// A reader that was cut off goes on behind the last event that it has, on another node.
        @Test func `events go on behind the last one`() throws {
            let round = try ContractRound()
            let (first, second) = (
                try Wire(round.cluster.member("n1").api), try Wire(round.cluster.member("n2").api)
            )
            try first.get("/v1/events?type=task.succeeded", headers: [])
            try first.receive { first.text.contains(":\n") }
            let heard = try round.submit(#"{"handler": "echo"}"#)
            try first.receive { first.text.contains("\"\(heard)\"") }
            let event = try #require(
                first.text.split(whereSeparator: \.isNewline).last { $0.hasPrefix("id: ") })
            let missed = try round.submit(#"{"handler": "echo"}"#)
            try round.await("succeeded", missed)
            try second.get(
                "/v1/events?type=task.succeeded", headers: ["last-event-id: \(event.dropFirst(4))"])
            try second.receive { second.text.contains("\"\(missed)\"") }
            #expect(!second.text.contains("\"\(heard)\""))
        }

        @Test func `events over a WebSocket`() throws {
            let round = try ContractRound()
            let wire = try Wire(round.cluster.member("n3").api)
            try wire.get(
                "/v1/events?type=task",
                headers: [
                    "connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13",
                    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
                ])
            try wire.receive { wire.text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") }
            let id = try round.submit(#"{"handler": "echo"}"#)
            try wire.receive {
                wire.text.contains("\"\(id)\"") && wire.text.contains("task.succeeded")
            }
            // A close is answered by one.
            let length = wire.received.count
            try wire.send([0x88, 0x80, 0, 0, 0, 0])
            try wire.receive { wire.received.dropFirst(length).contains(0x88) }
        }
    }
}
