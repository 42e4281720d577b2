import Testing

@testable import Raft

/// Cases worth reading; `QuorumTwinTests` goes through all the others.
@Suite struct QuorumTests {
    @Test func jointConfigurationNeedsBothHalves() {
        let joint = Configuration(voters: ["a", "b", "c"], outgoing: ["c", "d", "e"])
        let values: [NodeID: UInt64] = ["a": 9, "b": 9, "c": 9, "d": 2, "e": 1]
        #expect(Quorum.reached(joint) { values[$0] ?? 0 } == 2)
        #expect(Quorum.verdict(joint) { ["a": true, "b": true][$0] } == .pending)
        #expect(
            Quorum.verdict(joint) { ["a": true, "b": true, "d": false, "e": false][$0] } == .lost)
        #expect(Quorum.verdict(joint) { ["a": true, "c": true, "e": true][$0] } == .won)
    }

    @Test func nobodyDecidesWithoutVoters() {
        let empty = Configuration(voters: [], learners: ["a"])
        #expect(Quorum.reached(empty) { _ in 5 } == 0)
        #expect(Quorum.verdict(empty) { _ in true } == .lost)
    }
}
