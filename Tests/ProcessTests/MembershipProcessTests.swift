import Foundation
import Testing

@testable import Node

extension ProcessTests {
    /// Founding, taking in, letting go, and what an operator reads about it, on real processes.
    struct MembershipProcessTests {
        private func problem(_ cluster: ClusterFixture, _ id: String) throws -> String {
            let response = try cluster.client(id).send("GET", "/readyz")
            guard response.status == 503 else { return "" }
            return try JSONDocument(response.body).root["detail"]?.string ?? ""
        }

        /// Voters as one node sees them; nil while the members are changing.
        private func voters(_ cluster: ClusterFixture, _ id: String) -> [String]? {
            guard let seen = try? cluster.client(id).json("GET", "/v1/cluster"),
                seen["changing"]?.bool == false
            else { return nil }
            return seen["members"]?.elements.filter { $0["role"]?.string != "learner" }
                .compactMap { $0["id"]?.string }
        }

        private func awaitVoters(_ cluster: ClusterFixture, _ ids: [String]) throws {
            for id in ids {
                try eventually("\(id) sees the voters \(ids)", withinSeconds: 60) {
                    voters(cluster, id) == ids
                }
            }
        }

        private func succeeds(
            _ cluster: ClusterFixture, _ words: String..., servers: [String],
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            let (status, output) = try cluster.tool(words, servers: servers)
            #expect(status == 0, "\(words): \(output)", sourceLocation: location)
        }

        @Test func `a cluster is founded once all its nodes are there`() throws {
            let cluster = try ClusterFixture()
            try cluster.start("n1", "n2")
            try eventually("n1 says whom it waits for") {
                (try? problem(cluster, "n1"))?.hasSuffix("missing: n3.") == true
            }
            try cluster.start("n3")
            try cluster.awaitReady(cluster.ids)
            // From now on a majority is enough.
            try cluster.kill(cluster.ids)
            try cluster.start("n2", "n3")
            try cluster.awaitReady(["n2", "n3"])
        }

        @Test func `a cluster grows, loses all its first nodes, and shrinks, under load`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            for id in ["n4", "n5", "n6"] { try cluster.name(id) }
            let load = SteadyLoad(connections: 4, endpoints: cluster.members.map(\.api))
            defer { load.stop() }
            for id in ["n4", "n5"] {
                try cluster.start([id], joins: true)
                try cluster.awaitReady([id])
                try succeeds(cluster, "cluster", "add", id, "-o", "table", servers: ["n1"])
                try load.awaitMore(50)
            }
            try awaitVoters(cluster, ["n1", "n2", "n3", "n4", "n5"])
            for (old, rest) in [
                ("n1", ["n2", "n3", "n4", "n5"]), ("n2", ["n3", "n4", "n5"]),
            ] {
                try succeeds(cluster, "cluster", "remove", old, servers: rest)
                try awaitVoters(cluster, rest)
                #expect(try cluster.terminate(old) == .exited(0))
                try load.awaitMore(50)
            }
            // Without --join, a node waits for an operator's word.
            try cluster.start("n6")
            try eventually("n6 says what to do") {
                (try? problem(cluster, "n6"))?.contains("carillon cluster add n6") == true
            }
            try succeeds(cluster, "cluster", "add", "n6", servers: ["n5"])
            try succeeds(cluster, "cluster", "remove", "n3", servers: ["n3", "n4"])
            try awaitVoters(cluster, ["n4", "n5", "n6"])
            try eventually("n3 knows that it is out") {
                (try? problem(cluster, "n3"))?.contains("was removed from the cluster") == true
            }
            try load.awaitMore(50)
            load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            let rest = cluster.client("n4", "n5", "n6")
            for task in try rest.awaitEnd(of: load.ids.values.sorted()) {
                #expect(task.state == "succeeded", "\(task.source)")
            }
            let tasks = try rest.tasks()
            #expect(tasks.count == load.acknowledged)
            // None of the first nodes is needed to come back.
            try cluster.kill("n3", "n4", "n5", "n6")
            try cluster.start("n4", "n5", "n6")
            try cluster.awaitReady(["n4", "n5", "n6"])
        }

        @Test func `a node with a wiped disk is a stranger until it is taken in anew`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let id = try cluster.client().submit(#"{"handler": "echo", "delay": "1h"}"#)
            try cluster.kill("n1")
            try cluster.wipe("n1")
            try cluster.start("n1")
            try eventually("n1 says what to do") {
                (try? problem(cluster, "n1"))?.contains(
                    "carillon cluster remove n1, then: carillon cluster add n1") == true
            }
            // It counts for nobody: with one of the others gone, there is no majority.
            let leader = try cluster.leader(among: ["n2", "n3"])
            let other = leader == "n2" ? "n3" : "n2"
            try cluster.kill(other)
            let response = try cluster.client(leader).send(
                "POST", "/v1/tasks?timeout=2s", #"{"handler": "echo"}"#)
            #expect(response.status == 503)
            try cluster.start(other)
            try cluster.awaitReady(["n2", "n3"])
            let refused = try cluster.tool(["cluster", "add", "n1"], servers: ["n2"])
            #expect(refused.status == 1 && refused.output.contains("remove it first"))
            try succeeds(cluster, "cluster", "remove", "n1", servers: ["n2"])
            try succeeds(cluster, "cluster", "add", "n1", servers: ["n3"])
            try awaitVoters(cluster, ["n1", "n2", "n3"])
            try cluster.awaitReady(["n1"])
            #expect(try cluster.client("n1").task(id).state == "scheduled")
        }

        @Test func `a cluster whose addresses all changed forms again`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            try cluster.name("n4")
            try cluster.start(["n4"], joins: true)
            try cluster.awaitReady(["n4"])
            try awaitVoters(cluster, ["n1", "n2", "n3", "n4"])
            let id = try cluster.client().submit(#"{"handler": "echo", "delay": "1h"}"#)
            try cluster.kill(cluster.ids)
            // All move. The file of the first three does not know the fourth: it is found by its own call.
            try cluster.move()
            let path = cluster.directory + "/three.json"
            try cluster.writeConfiguration(
                ClusterFixture.configuration(
                    cluster: "test", members: Array(cluster.members.prefix(3))), to: path)
            try cluster.start(["n1", "n2", "n3"], configuration: path)
            try cluster.start("n4")
            try cluster.awaitReady(cluster.ids)
            try awaitVoters(cluster, ["n1", "n2", "n3", "n4"])
            #expect(try cluster.client().task(id).state == "scheduled")
            // Its new address is in the log, and so with everybody.
            let seen = try cluster.client("n1").json("GET", "/v1/cluster")
            let member = seen["members"]?.elements.first { $0["id"]?.string == "n4" }
            #expect(member?["api"]?.string == "\(cluster.member("n4").api)")
            #expect(member?["peer"]?.string == "\(cluster.member("n4").peer)")
        }

        @Test func `leaders killed in the middle of a change leave nothing half done`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            try cluster.name("n4")
            let load = SteadyLoad(connections: 2, endpoints: cluster.members.map(\.api))
            defer { load.stop() }
            try load.awaitMore(20)
            for round in 0..<4 {
                let isAdding = round % 2 == 0
                let leader = try cluster.leader()
                let others = ["n1", "n2", "n3"].filter { $0 != leader }
                if isAdding { try cluster.start(["n4"]) }
                // The leader that dies may be the node that is to go.
                let path = "/v1/cluster/members" + (isAdding ? "" : "/n4") + "?timeout=10ms"
                try eventually("the wish is taken") {
                    guard
                        let response = try? cluster.client(others[0]).send(
                            isAdding ? "POST" : "DELETE", path, isAdding ? #"{"id": "n4"}"# : "")
                    else { return false }
                    // Not found: an earlier try was taken after all.
                    return response.isSuccess || !isAdding && response.status == 404
                }
                try cluster.kill(leader)
                try cluster.start(leader)
                let wanted = ["n1", "n2", "n3"] + (isAdding ? ["n4"] : [])
                try awaitVoters(cluster, wanted)
                if !isAdding {
                    _ = try cluster.terminate("n4")
                    try cluster.wipe("n4")
                }
            }
            load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            for task in try cluster.client("n1").awaitEnd(of: load.ids.values.sorted()) {
                #expect(task.state == "succeeded", "\(task.source)")
            }
        }

        @Test func `leadership is handed over through any node, and no request fails`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let load = SteadyLoad(
                connections: 4, endpoints: cluster.members.map(\.api), isStrict: true)
            defer { load.stop() }
            for round in 0..<6 {
                try load.awaitMore(30)
                let leader = try cluster.leader()
                let others = cluster.ids.filter { $0 != leader }
                let target = others[round % 2]
                try succeeds(
                    cluster, "cluster", "transfer", target, servers: [others[(round + 1) % 2]])
                #expect(try cluster.leader() == target)
            }
            load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            #expect(load.acknowledged >= 180)
        }
    }
}
