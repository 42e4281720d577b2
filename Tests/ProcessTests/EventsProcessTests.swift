import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct EventsProcessTests {
        private func lines(_ path: String) throws -> [JSONValue] {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map { line in
                try JSONDocument(Array(line.utf8)).root
            }
        }

        /// Who was told by the node that is killed goes on with another, misses nothing and is told nothing twice.
        @Test func `following goes on over the loss of the node that tells`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let servers = cluster.ids.map { "http://\(cluster.member($0).api)" }
            let output = cluster.directory + "/events.log"
            let follower = try TestProcess(
                CarillonBinary.path(),
                [
                    "events", "--follow", "--type", "task", "-o", "json", "--server",
                    servers.joined(separator: ","),
                ], output: output)
            let others = cluster.client("n2", "n3")
            // From here on it is sure to follow: nothing before its first event is promised.
            try eventually("the first event is told") {
                _ = try others.submit("{\"handler\": \"echo\"}")
                return try !lines(output).isEmpty
            }
            var ids: [String] = []
            for number in 0..<60 {
                if number == 30 { try cluster.kill("n1") }
                ids.append(
                    try others.submitSurely("{\"handler\": \"echo\"}", key: "k\(number)"))
            }
            _ = try others.awaitEnd(of: ids)
            try eventually("all ends are told") {
                let ended = try lines(output).filter { $0["type"]?.string == "task.succeeded" }
                return Set(ended.map { $0.shown("task") }).isSuperset(of: ids)
            }
            follower.signal(SIGTERM)
            let told = try lines(output)
            let names = told.map { $0.shown("id") }
            #expect(Set(names).count == names.count)
            let positions = names.compactMap { EventFeed.Position($0) }
            #expect(positions.count == names.count && positions == positions.sorted())
            for id in ids {
                let states = told.filter { $0.shown("task") == id }.map { $0.shown("state") }
                #expect(
                    states.contains("running") && states.last == "succeeded", "\(id): \(states)")
                #expect(states.filter { $0 == "succeeded" }.count == 1)
            }
            let (status, recent) = try cluster.tool(
                ["events", "--type", "task.succeeded", "--limit", "5", "-o", "json"],
                servers: ["n2"])
            #expect(status == 0 && recent.split(separator: "\n").count == 5)
        }
    }
}
