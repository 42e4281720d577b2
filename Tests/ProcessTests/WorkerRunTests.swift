import Foundation
import Glibc
import Testing

@testable import Node

extension ProcessTests {
    /// `carillon worker run`: configured handlers in a process that is no node.
    struct WorkerRunTests {
        /// `long` leaves its process id in the directory before it reports progress.
        private static func handlers(_ directory: String) -> String {
            #"""
            "handlers": {
                "upper": {"command": ["tr", "a-z", "A-Z"]},
                "long": {"command": ["sh", "-c",
                    "echo $$ > \"$0/long.pid\"; echo '{\"progress\": 40, \"note\": \"half way\"}' >&3; exec sleep 600",
                    "\#(directory)"]}
            }
            """#
        }

        private func start(_ cluster: ClusterFixture, id: String = "w1") throws -> TestProcess {
            let nodes = ClusterFixture.configuration(cluster: "test", members: cluster.members)
            let path = cluster.directory + "/worker.json"
            try cluster.writeConfiguration(
                String(nodes.dropLast()) + "," + Self.handlers(cluster.directory) + "}", to: path)
            return try TestProcess(
                CarillonBinary.path(), ["worker", "run", "--config", path, "--id", id],
                output: cluster.directory + "/worker.log")
        }

        private func awaitState(_ state: String, _ client: NodeClient) throws {
            try eventually("w1 is \(state)") {
                let workers = try? client.json("GET", "/v1/workers")["items"]?.elements
                return workers?.contains {
                    $0["id"]?.string == "w1" && $0["state"]?.string == state
                }
                    ?? false
            }
        }

        @Test func `it runs what is configured, and goes on when nodes die`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client(beginningWith: 1)
            let worker = try start(cluster)
            try awaitState("live", client)
            let body = "{\"handler\": \"upper\", \"payload\": \"abc\"}"
            let first = try (0..<20).map { try client.submitSurely(body, key: "a\($0)") }
            for task in try client.awaitEnd(of: first) {
                #expect(task["result"]?.string == "ABC", "\(task.source)")
                #expect(task["worker"]?.string == "w1")
            }
            try cluster.kill("n1")
            let second = try (0..<20).map { try client.submitSurely(body, key: "b\($0)") }
            for task in try client.awaitEnd(of: second) {
                #expect(task["result"]?.string == "ABC", "\(task.source)\n\(cluster.log("worker"))")
            }
            worker.signal(SIGTERM)
            let ending = try worker.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(0), "\(cluster.log("worker"))")
            try awaitState("lost", client)
        }

        @Test func `its progress is seen through any node, and it stops what is cancelled`() throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            let worker = try start(cluster)
            try awaitState("live", client)
            let long = try client.submit("{\"handler\": \"long\"}")
            for id in cluster.ids {
                try eventually("progress is seen through \(id)") {
                    let task = try cluster.client(id).task(long)
                    return task["progress"]?.integer == 40
                        && task["progressNote"]?.string == "half way"
                }
            }
            let text = try String(contentsOfFile: cluster.directory + "/long.pid", encoding: .utf8)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .newlines)))
            #expect(kill(pid, 0) == 0, "it runs")
            _ = try client.json("DELETE", "/v1/tasks/\(long)")
            try eventually("what it ran is stopped") { kill(pid, 0) != 0 }
            worker.signal(SIGTERM)
            let ending = try worker.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(0), "\(cluster.log("worker"))")
        }

        @Test func `one that lost the cluster stops its work before others get it`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let worker = try start(cluster)
            try awaitState("live", client)
            let long = try client.submit("{\"handler\": \"long\"}")
            try eventually("it runs") { try client.task(long)["progress"]?.integer == 40 }
            cluster.stop("n1")
            try eventually("it has stopped what it ran") {
                cluster.log("worker").contains("lost the cluster")
            }
            cluster.resume("n1")
            try eventually("it is given work again") {
                let task = try client.task(long)
                return (task["attempt"]?.integer ?? 0) > 1 && task.state == "running"
            }
            worker.signal(SIGTERM)
            // Two signals that come before the first is seen are one.
            try eventually("it drains") { cluster.log("worker").contains("draining") }
            // The second time it does not wait for what runs.
            worker.signal(SIGTERM)
            let ending = try worker.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(0), "\(cluster.log("worker"))")
            let task = try client.task(long)
            #expect(
                task.outcomes.last == "returned" || task.outcomes.last == "lost", "\(task.source)")
        }

        @Test func `one that the cluster does not know any more attaches again`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let worker = try start(cluster)
            defer { worker.signal(SIGKILL) }
            try awaitState("live", cluster.client())
            try cluster.kill("n1")
            // As if it were restored from a backup of before.
            try cluster.wipe("n1")
            try cluster.startAll()
            let client = cluster.client()
            try awaitState("live", client)
            let id = try client.submit("{\"handler\": \"upper\", \"payload\": \"abc\"}")
            for task in try client.awaitEnd(of: [id]) {
                #expect(task["result"]?.string == "ABC", "\(task.source)")
            }
            let hasEnded = worker.poll()
            #expect(!hasEnded, "\(cluster.log("worker"))")
        }

        @Test func `a second one of its name ends the first`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let first = try start(cluster)
            try awaitState("live", client)
            let second = try start(cluster)
            let ending = try first.waitForEnd(withinSeconds: 60)
            #expect(ending == .exited(1), "\(cluster.log("worker"))")
            try awaitState("live", client)
            second.signal(SIGTERM)
            #expect(try second.waitForEnd(withinSeconds: 60) == .exited(0))
        }
    }
}
