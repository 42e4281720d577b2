import Testing

@testable import Node

extension ProcessTests {
    struct WorkerLossTests {
        /// Submits tasks that sleep, and returns those that run on the node.
        private func occupy(
            _ id: String, of cluster: ClusterFixture, milliseconds: Int, tasks count: Int = 24
        ) throws -> (all: [String], there: [String]) {
            let client = cluster.client()
            let all = try (0..<count).map { _ in
                try client.submit(
                    "{\"handler\": \"sleep\", \"payload\": {\"ms\": \(milliseconds)}}")
            }
            var there: [String] = []
            try eventually("some task runs on \(id)") {
                there = try client.tasks("&state=running&worker=\(id)").compactMap {
                    $0["id"]?.string
                }
                return !there.isEmpty
            }
            return (all, there)
        }

        @Test
        func `a stopped worker's tasks run elsewhere, and what it says later changes nothing`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let leader = try cluster.leader()
            let victim = try #require(cluster.ids.first { $0 != leader })
            let (all, _) = try occupy(victim, of: cluster, milliseconds: 3_000)
            cluster.stop(victim)
            let others = NodeClient(
                cluster.members.filter { $0.id != victim }.map(\.api))
            // What ran there when it was stopped; some may have ended just before.
            let stranded = try others.tasks("&state=running&worker=\(victim)").compactMap {
                $0["id"]?.string
            }
            try #require(!stranded.isEmpty)
            let ended = try others.awaitEnd(of: all)
            for task in ended { #expect(task.state == "succeeded", "\(task.source)") }
            for task in ended where stranded.contains(task["id"]?.string ?? "") {
                #expect(task["worker"]?.string != victim, "\(task.source)")
                #expect(task.outcomes.first == "lost", "\(task.source)")
                #expect(task.outcomes.filter { $0 == "succeeded" }.count == 1, "\(task.source)")
            }
            cluster.resume(victim)
            try cluster.awaitReady([victim])
            try eventually("\(victim) is live again") {
                let workers = try others.json("GET", "/v1/workers")["items"]?.elements ?? []
                return workers.contains {
                    $0["id"]?.string == victim && $0["state"]?.string == "live"
                        && $0["running"]?.integer == 0
                }
            }
            for task in ended {
                #expect(try cluster.client(victim).task(task["id"]?.string ?? "").raw == task.raw)
            }
        }

        @Test func `a killed worker's tasks run elsewhere`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let leader = try cluster.leader()
            let victim = try #require(cluster.ids.first { $0 != leader })
            let (all, _) = try occupy(victim, of: cluster, milliseconds: 2_000)
            try cluster.kill(victim)
            for task in try cluster.client(leader).awaitEnd(of: all) {
                #expect(task.state == "succeeded", "\(task.source)")
                #expect(task.outcomes.filter { $0 == "succeeded" }.count == 1, "\(task.source)")
            }
        }

        @Test func `a task that may run once at most is dead when its worker is killed`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let leader = try cluster.leader()
            let client = cluster.client(leader)
            var stranded: String?
            var victim = ""
            for _ in 0..<100 where stranded == nil {
                let id = try client.submit(
                    "{\"handler\": \"sleep\", \"payload\": {\"ms\": 60000}, \"delivery\": \"atMostOnce\"}"
                )
                try eventually("\(id) runs") { try client.task(id).state == "running" }
                victim = try client.task(id)["worker"]?.string ?? leader
                if victim != leader { stranded = id }
            }
            let id = try #require(stranded)
            try cluster.kill(victim)
            let task = try client.awaitEnd(of: [id])[0]
            #expect(task.state == "dead")
            #expect(task.outcomes == ["lost"])
        }

        @Test func `a node told to end hands its work over and exits with 0`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            for _ in 0..<2 {
                // Once a follower or the leader, and then the leader for certain.
                let leader = try cluster.leader()
                let (all, _) = try occupy(leader, of: cluster, milliseconds: 500)
                #expect(
                    try cluster.terminate(leader) == .exited(0),
                    "\(cluster.log(leader).suffix(2000))")
                let others = NodeClient(cluster.members.filter { $0.id != leader }.map(\.api))
                for task in try others.awaitEnd(of: all) {
                    #expect(task.state == "succeeded", "\(task.source)")
                    #expect(!task.outcomes.contains("lost"), "\(task.source)")
                    #expect(task.outcomes.filter { $0 == "succeeded" }.count == 1, "\(task.source)")
                }
                try cluster.start(leader)
                try cluster.awaitReady([leader])
            }
        }
    }
}
