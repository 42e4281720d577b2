import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct FindingProcessTests {
        private static let count = 20_000

        /// Tasks that nobody can run, half of them in queue `odd`.
        private func submitMany(_ client: NodeClient) throws {
            for start in stride(from: 0, to: Self.count, by: 5_000) {
                let lines = (start..<start + 5_000).map {
                    #"{"handler":"nobody","queue":"\#($0 % 2 == 0 ? "even" : "odd")","key":"k\#($0)"}"#
                }
                let reply = try client.send(
                    "POST", "/v1/tasks", lines.joined(separator: "\n"), key: nil,
                    contentType: "application/x-ndjson")
                #expect(reply.status == 200)
            }
        }

        @Test func `a bulk job goes on when its leader dies, and explanations come from any node`()
            throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let leader = try cluster.leader()
            let others = cluster.ids.filter { $0 != leader }
            let client = cluster.client(others[0])
            try submitMany(client)
            let rare = try client.json("GET", "/v1/tasks?q=k7")["items"]?.elements ?? []
            #expect(rare.count == 50)
            let why = try cluster.client(others[1]).json("GET", "/v1/tasks/t1/explain")
            #expect(why["constraints"]?.elements.first?["constraint"]?.string == "noWorker")

            let begun = try client.json(
                "POST", "/v1/tasks/batch?wait=0s",
                #"{"action": "cancel", "filter": {"queue": "odd"}}"#, key: "cancel odd ones")
            #expect(begun["state"]?.string == "running")
            try cluster.kill(leader)
            let survivor = cluster.client(others[1])
            var job: JSONValue?
            try eventually("the job ends", withinSeconds: 60) {
                let path = "/v1/jobs/\(begun["id"]?.string ?? "")?wait=1s"
                job = try? survivor.json("GET", path)
                return job?["state"]?.string == "done"
            }
            #expect(job?["cancelled"]?.integer == Int64(Self.count / 2))
            let left = try survivor.json("GET", "/v1/queues/odd")
            #expect(left["pending"]?.integer == 0, "\(left.source)")
            let kept = try survivor.json("GET", "/v1/queues/even")
            #expect(kept["pending"]?.integer == Int64(Self.count / 2), "\(kept.source)")

            let (retried, said) = try cluster.tool(
                ["task", "retry", "--state", "cancelled", "--max", "3", "-o", "table"],
                servers: others)
            #expect(retried == 0 && said == "3 retried\n", "\(said)")
            let (deleted, output) = try cluster.tool(
                ["task", "delete", "--state", "cancelled", "-o", "table"], servers: others)
            #expect(deleted == 0 && output == "\(Self.count / 2 - 3) deleted\n", "\(output)")
        }
    }
}
