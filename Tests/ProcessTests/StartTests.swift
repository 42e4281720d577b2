import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct StartTests {
        private func expectRefusal(
            _ process: TestProcess, _ cluster: ClusterFixture, saying words: [String],
            status: Int32 = 1
        ) throws {
            #expect(try process.waitForEnd() == .exited(status))
            let log = cluster.log("extra")
            for word in words { #expect(log.contains(word), "\(log)") }
        }

        @Test func `a port in use is said, and ends the process`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            for endpoint in [cluster.members[0].api, cluster.members[0].peer] {
                let other = try Socket.listen(on: endpoint.resolve()[0], backlog: 1)
                try expectRefusal(
                    cluster.launch("n1"), cluster,
                    saying: ["address already in use", endpoint.description])
                _ = consume other
            }
        }

        @Test func `a second process on the same directory is refused, and the first goes on`()
            throws
        {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            let elsewhere = cluster.directory + "/elsewhere.json"
            let members = [
                ClusterFixture.Member(
                    id: "n1", peer: Endpoint(host: "127.0.0.1", port: try FreePorts.next()),
                    api: Endpoint(host: "127.0.0.1", port: try FreePorts.next()))
            ]
            try cluster.writeConfiguration(
                ClusterFixture.configuration(cluster: "test", members: members), to: elsewhere)
            try expectRefusal(
                cluster.launch("n1", configuration: elsewhere), cluster, saying: ["data/n1"])
            #expect(try cluster.client().submit("{\"handler\": \"echo\"}").hasPrefix("t"))
        }

        @Test func `the data of another cluster is refused`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.startAll()
            #expect(try cluster.terminate("n1") == .exited(0))
            let foreign = cluster.directory + "/foreign.json"
            try cluster.writeConfiguration(
                ClusterFixture.configuration(cluster: "other", members: cluster.members),
                to: foreign)
            try expectRefusal(
                cluster.launch("n1", configuration: foreign), cluster, saying: ["test", "other"])
            try cluster.startAll()
        }

        @Test func `the data of another node is refused`() throws {
            let cluster = try ClusterFixture(nodes: 3)
            try cluster.startAll()
            try cluster.kill(cluster.ids)
            let data = cluster.directory + "/data"
            try FileManager.default.moveItem(atPath: data + "/n1", toPath: data + "/kept")
            try FileManager.default.moveItem(atPath: data + "/n2", toPath: data + "/n1")
            try expectRefusal(cluster.launch("n1"), cluster, saying: ["n1", "n2"])
        }

        @Test func `a broken configuration is said with its places, by node and by check`() throws {
            let cluster = try ClusterFixture(nodes: 1)
            try cluster.writeConfiguration(
                "{\"cluster\": \"test\", \"nodes\": [{\"id\": \"n1\", \"peer\": \"127.0.0.1\"}], \"clutser\": 1}"
            )
            try expectRefusal(
                cluster.launch("n1"), cluster,
                saying: ["/nodes/0/peer", "/nodes/0/api", "/clutser"])
            let console = Console(capturingAsTerminal: false)
            #expect(
                CommandLineTool.run(["check", cluster.configurationPath], console: console) == 1)
            #expect(console.errors.contains("/nodes/0/peer"))
        }

        @Test func `an id that the configuration lacks is refused with those it has`() throws {
            let cluster = try ClusterFixture(nodes: 3)
            try expectRefusal(cluster.launch("n9"), cluster, saying: ["n9", "n1, n2, n3"])
        }

        @Test func `addresses that all changed make no other cluster`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let id = try cluster.client().submit("{\"handler\": \"echo\", \"delay\": \"1h\"}")
            try cluster.kill(cluster.ids)
            let moved = try ClusterFixture()
            try FileManager.default.moveItem(
                atPath: cluster.directory + "/data", toPath: moved.directory + "/data")
            try moved.startAll()
            #expect(try moved.client().task(id).state == "scheduled")
        }
    }
}
