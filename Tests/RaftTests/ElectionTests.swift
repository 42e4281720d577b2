import Testing

@testable import Raft

@Suite struct ElectionTests {
    @Test func threeNodesElectOneLeader() throws {
        let cluster = Cluster(voters: ["n1", "n2", "n3"])
        cluster.isTracing = true
        cluster.elect("n1")
        #expect(
            cluster.takeTrace() == """
                x
                """)
        #expect(cluster.oracle.faults == [])
    }
}
