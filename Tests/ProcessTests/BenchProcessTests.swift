import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// `carillon bench` against real nodes: what it reports is what the cluster has.
    struct BenchProcessTests {
        /// The only object that the command prints.
        private func report(
            _ words: [String], _ cluster: ClusterFixture, status: Int32 = 0
        ) throws -> JSONValue {
            let result = try cluster.tool(
                ["bench"] + words + ["-o", "json"], servers: cluster.ids)
            #expect(result.status == status, "\(result.output)")
            let line = result.output.split(separator: "\n").last { $0.hasPrefix("{") }
            return try JSONDocument(Array(try #require(line, "\(result.output)").utf8)).root
        }

        private func runs(_ report: JSONValue) -> [JSONValue] { report["runs"]?.elements ?? [] }

        private func hasNamespace(_ cluster: ClusterFixture) throws -> Bool {
            let reply = try cluster.client().send("GET", "/v1/namespaces/bench")
            return reply.status != 404
        }

        @Test func `submit reports what the cluster has`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let report = try report(
                ["submit", "--seconds", "1", "--warmup", "0", "--connections", "8", "--keep"],
                cluster)
            let run = try #require(runs(report).first)
            let acknowledged = try #require(run["acknowledgedTasks"]?.integer)
            #expect(acknowledged > 0 && run["heldTasks"]?.integer == acknowledged)
            #expect(run["latencyP50Milliseconds"]?.double ?? 0 > 0)
            #expect(run["errors"]?.memberCount == 0, "\(run.source)")
            let client = cluster.client()
            let space = try client.json("GET", "/v1/namespaces/bench")
            #expect(space["pending"]?.integer == acknowledged)
            // In a namespace that has tasks of somebody nothing is measured.
            let second = try cluster.tool(["bench", "submit", "--seconds", "1"], servers: ["n1"])
            #expect(second.status == 1 && second.output.contains("there is a namespace bench"))
            let clean = try cluster.tool(["bench", "clean"], servers: cluster.ids)
            #expect(clean.status == 0, "\(clean.output)")
            #expect(try !hasNamespace(cluster))
        }

        @Test(arguments: [["--bulk", "1,20", "--keys"], ["--rate", "200"], ["--pipeline", "4"]])
        func `each way to submit counts all of its tasks, and leaves none behind`(
            words: [String]
        ) throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let report = try report(
                ["submit", "--seconds", "1", "--warmup", "0", "--connections", "4"] + words,
                cluster)
            #expect(runs(report).count == (words[0] == "--bulk" ? 2 : 1))
            for run in runs(report) {
                #expect(run["heldTasks"]?.integer == run["acknowledgedTasks"]?.integer)
                #expect(run["errors"]?.memberCount == 0, "\(run.source)")
                #expect(run["generatorCPUSeconds"]?.double ?? 0 > 0)
            }
            #expect(try !hasNamespace(cluster))
        }

        @Test(arguments: [[], ["--rate", "50"]])
        func `run sees the end of every task`(words: [String]) throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let report = try report(
                ["run", "--seconds", "1", "--warmup", "0", "--connections", "4"] + words, cluster)
            let run = try #require(runs(report).first)
            #expect(run["endedTasks"]?.integer ?? 0 > 0, "\(run.source)")
            #expect(run["endedTasks"]?.integer == run["acknowledgedTasks"]?.integer)
            #expect(run["doneP99Milliseconds"]?.double ?? 0 > 0)
            #expect((run["startP99Milliseconds"] != nil) == !words.isEmpty)
            #expect(try !hasNamespace(cluster))
        }

        @Test func `precision hears of every start, none of them early`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let report = try report(["precision", "--per-second", "40", "--seconds", "2"], cluster)
            let run = try #require(runs(report).first)
            #expect(run["startedTasks"]?.integer == 80, "\(run.source)")
            #expect(run["recordedEarly"]?.integer == 0 && run["heardEarly"]?.integer == 0)
            #expect(run["errors"]?.memberCount == 0)
            #expect(try !hasNamespace(cluster))
        }

        @Test func `schedules accounts for every occurrence`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let report = try report(
                ["schedules", "--schedules", "30", "--occurrences", "3", "--period", "300ms"],
                cluster)
            let run = try #require(runs(report).first)
            #expect(run["ran"]?.integer == 90 && run["unaccounted"]?.integer == 0, "\(run.source)")
            #expect(run["recordedEarly"]?.integer == 0)
            #expect(try !hasNamespace(cluster))
        }

        @Test func `memory asks each node`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let report = try report(["memory", "--tasks", "3500", "--settle", "0"], cluster)
            #expect(runs(report).compactMap { $0["node"]?.string } == cluster.ids)
            for run in runs(report) {
                #expect(run["filledBytes"]?.integer ?? 0 > 1_000_000, "\(run.source)")
            }
            #expect(try !hasNamespace(cluster))
        }

        @Test(arguments: ["kill", "stop"])
        func `failover strikes the leader and loses nothing that was acknowledged`(
            signal: String
        ) throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let pids = try cluster.ids.flatMap { ["--pid", "\($0)=\(try cluster.pid(of: $0))"] }
            let report = try report(
                ["failover", "--rounds", "1", "--rate", "100", "--signal", signal] + pids, cluster)
            let run = try #require(runs(report).first)
            #expect(run["gapMaxMilliseconds"]?.double ?? 0 > 0, "\(run.source)")
            let held = try #require(run["heldTasks"]?.integer)
            #expect(held >= run["acknowledgedTasks"]?.integer ?? .max)
            let running = cluster.ids.filter { cluster.isRunning($0) }
            #expect(running.count == (signal == "kill" ? 2 : 3))
            #expect(try !hasNamespace(cluster))
        }
    }
}
