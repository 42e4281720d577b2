import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// The workers in `examples/`, as a user would start them, on a cluster whose nodes die.
    struct ExampleWorkerTests {
        struct Example: CustomTestStringConvertible, Sendable {
            let file: String
            /// nil: a program that was built with the tests.
            let interpreter: String?
            /// What follows the interpreter and the file, for this id and these servers.
            let arguments: @Sendable (_ id: String, _ servers: [String]) -> [String]

            var testDescription: String { file }

            var path: String {
                guard interpreter != nil else { return CarillonBinary.folder + "/" + file }
                return URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .deletingLastPathComponent().deletingLastPathComponent()
                    .appendingPathComponent("examples/\(file)").path
            }

            var isPossible: Bool {
                let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
                guard let interpreter else { return true }
                let needed = interpreter == "sh" ? ["sh", "curl"] : [interpreter]
                return needed.allSatisfy { name in
                    folders.split(separator: ":").contains {
                        FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
                    }
                }
            }
        }

        private static let options: @Sendable (String, [String]) -> [String] = { id, servers in
            ["--id", id, "--server", servers.joined(separator: ","), "--slots", "2"]
        }

        static let examples = [
            Example(file: "worker.py", interpreter: "python3", arguments: options),
            Example(file: "worker.mjs", interpreter: "node", arguments: options),
            Example(file: "worker.sh", interpreter: "sh") { id, servers in
                ["--id", id, "--server", servers.joined(separator: ",")]
            },
            Example(file: "swift-worker", interpreter: nil, arguments: options),
        ].filter(\.isPossible)

        private func start(_ example: Example, _ cluster: ClusterFixture) throws -> TestProcess {
            let servers = cluster.members.map { "http://\($0.api)" }
            return try TestProcess(
                "/usr/bin/env",
                [example.interpreter, example.path].compactMap { $0 }
                    + example.arguments("x1", servers),
                output: cluster.directory + "/worker.log")
        }

        private func awaitState(_ state: String, _ client: NodeClient) throws {
            try eventually("x1 is \(state)") {
                let workers = try? client.json("GET", "/v1/workers")["items"]?.elements
                return workers?.contains {
                    $0["id"]?.string == "x1" && $0["state"]?.string == state
                }
                    ?? false
            }
        }

        private func submit(_ client: NodeClient, key: String) throws -> String {
            try client.submitSurely(
                """
                {"handler": "count-words", "payload": {"text": "to be, or not to be"}}
                """,
                key: key)
        }

        @Test(arguments: examples)
        func `it works, goes on when its node dies, and leaves in good order`(
            example: Example
        )
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client(beginningWith: 1)
            let worker = try start(example, cluster)
            try awaitState("live", client)
            let first = try (0..<5).map { try submit(client, key: "a\($0)") }
            for task in try client.awaitEnd(of: first) {
                #expect(task.state == "succeeded", "\(task.source)")
                #expect(task["result"]?["words"]?.integer == 6, "\(task.source)")
                #expect(task["worker"]?.string == "x1")
            }
            // The one it talks to.
            try cluster.kill("n1")
            let second = try (0..<5).map { try submit(client, key: "b\($0)") }
            for task in try client.awaitEnd(of: second) {
                #expect(task.state == "succeeded", "\(task.source)\n\(cluster.log("worker"))")
            }
            worker.signal(SIGTERM)
            let ending = try worker.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(0), "\(cluster.log("worker"))")
            try awaitState("lost", client)
        }

        @Test(arguments: examples)
        func `it stops what is cancelled, and says why it failed`(example: Example) throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let worker = try start(example, cluster)
            try awaitState("live", client)
            let long = try client.submit("{\"handler\": \"wait\", \"payload\": {\"ms\": 600000}}")
            try eventually("\(long) runs") { try client.task(long).state == "running" }
            _ = try client.json("DELETE", "/v1/tasks/\(long)")
            // With one slot the next one waits until the former has really stopped.
            let next = try submit(client, key: "next")
            let ended = try client.awaitEnd(of: [next])
            #expect(ended[0].state == "succeeded", "\(ended[0].source)\n\(cluster.log("worker"))")
            let bad = try client.submit(
                "{\"handler\": \"count-words\", \"payload\": {}, \"retry\": {\"attempts\": 1}}")
            let failed = try client.awaitEnd(of: [bad])
            #expect(failed[0].state == "dead", "\(failed[0].source)")
            #expect(failed[0]["error"]?["message"]?.string?.isEmpty == false)
            worker.signal(SIGTERM)
            let ending = try worker.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(0), "\(cluster.log("worker"))")
        }
    }
}
