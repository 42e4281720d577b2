import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct IdleTests {
        private func positions(_ cluster: ClusterFixture) throws -> [String] {
            try cluster.ids.map { id in
                let view = try cluster.client(id).json("GET", "/v1/cluster?stale=true")
                return "\(id) \(view["term"]?.source ?? "") \(view["commit"]?.source ?? "") "
                    + (view["applied"]?.source ?? "")
            }
        }

        @Test func `an idle cluster writes nothing`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let ids = try (0..<20).map { _ in try cluster.client().submit("{\"handler\": \"echo\"}")
            }
            _ = try cluster.client().awaitEnd(of: ids)
            _ = try cluster.client().submit("{\"handler\": \"echo\", \"delay\": \"1h\"}")
            // Followers may still be writing what the leader has, and nodes are still announcing themselves: rest is
            // what two looks apart agree on. The first has nothing to agree with.
            var last: [String] = []
            try eventually("the cluster comes to rest", everyMilliseconds: 2_000) {
                let now = try positions(cluster)
                defer { last = now }
                return now == last && Set(now.map { $0.dropFirst(2) }).count == 1
            }
            let files = try cluster.dataFiles()
            usleep(2_000_000)
            #expect(try positions(cluster) == last)
            #expect(try cluster.dataFiles() == files)
            #expect(!files.isEmpty)
        }
    }
}
