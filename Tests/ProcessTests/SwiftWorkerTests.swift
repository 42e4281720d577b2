import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// What `examples/swift-worker` shows beyond what every example does.
    struct SwiftWorkerTests {
        private func start(_ cluster: ClusterFixture) throws -> TestProcess {
            try TestProcess(
                CarillonBinary.folder + "/swift-worker",
                ["--id", "x1", "--server", "http://\(cluster.member("n1").api)", "--slots", "2"],
                output: cluster.directory + "/worker.log")
        }

        @Test func `it says how far it is, what is final, and hands back what can't end`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let worker = try start(cluster)
            for payload in [#"{"text": ""}"#, "{}"] {
                let bad = try client.submit(
                    "{\"handler\": \"count-words\", \"payload\": \(payload)}")
                let ended = try client.awaitEnd(of: [bad])[0]
                #expect(ended.state == "dead" && ended.outcomes == ["failed"], "\(ended.source)")
                #expect(ended["error"]?.shown("kind") == "payload")
            }
            let long = try client.submit("{\"handler\": \"wait\", \"payload\": {\"ms\": 600000}}")
            try eventually("it says how far it is") {
                try client.task(long)["progressNote"]?.string == "waiting"
            }
            worker.signal(SIGTERM)
            // Two signals that come before the first is seen are one.
            try eventually("it drains") { cluster.log("worker").contains("draining") }
            worker.signal(SIGTERM)
            #expect(try worker.waitForEnd(withinSeconds: 60) == .exited(0))
            let task = try client.task(long)
            #expect(task.outcomes == ["returned"], "\(task.source)\n\(cluster.log("worker"))")
        }

        @Test func `one whose name is taken ends and says why`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let client = cluster.client()
            let first = try start(cluster)
            try eventually("it is attached") {
                let workers = try client.json("GET", "/v1/workers")["items"]?.elements ?? []
                return workers.contains { $0.shown("id") == "x1" }
            }
            let second = try start(cluster)
            #expect(try first.waitForEnd(withinSeconds: 60) == .exited(1))
            second.signal(SIGTERM)
            #expect(try second.waitForEnd(withinSeconds: 60) == .exited(0))
        }
    }
}
