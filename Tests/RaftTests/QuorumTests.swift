import Testing

@testable import Raft

/// The arithmetic against a twin that is too simple to be wrong.
@Suite struct QuorumTests {
    private static let names: [NodeID] = ["a", "b", "c", "d", "e", "f", "g"]

    /// More than half of `voters` are in `set`.
    private func isMajority(_ set: Set<NodeID>, of voters: [NodeID]) -> Bool {
        var count = 0
        for voter in voters where set.contains(voter) { count += 1 }
        return count * 2 > voters.count
    }

    private func naiveReached(_ configuration: Configuration, _ values: [NodeID: UInt64]) -> UInt64
    {
        for candidate in (0...10).reversed().map(UInt64.init) {
            let holders = Set(Self.names.filter { values[$0, default: 0] >= candidate })
            if isMajority(holders, of: configuration.voters)
                && (configuration.outgoing.isEmpty
                    || isMajority(holders, of: configuration.outgoing))
            {
                return candidate
            }
        }
        return 0
    }

    private func naiveVerdict(
        _ configuration: Configuration, _ votes: [NodeID: Bool]
    ) -> Quorum.Verdict {
        func wins(ifMissingSay answer: Bool) -> Bool {
            let granted = Set(Self.names.filter { votes[$0] ?? answer })
            return isMajority(granted, of: configuration.voters)
                && (configuration.outgoing.isEmpty
                    || isMajority(granted, of: configuration.outgoing))
        }
        if wins(ifMissingSay: false) { return .won }
        return wins(ifMissingSay: true) ? .pending : .lost
    }

    @Test func agreesWithTheNaiveTwin() {
        var random = RandomSource(seed: 11)
        for _ in 0..<20_000 {
            func some() -> [NodeID] { Self.names.filter { _ in random.next(below: 2) == 0 } }
            let configuration = Configuration(
                voters: some(), outgoing: random.next(below: 2) == 0 ? [] : some(), learners: some()
            )
            var values: [NodeID: UInt64] = [:]
            var votes: [NodeID: Bool] = [:]
            for name in Self.names {
                values[name] = random.next(below: 11)
                if random.next(below: 3) > 0 { votes[name] = random.next(below: 2) == 0 }
            }
            #expect(
                Quorum.reached(configuration) { values[$0] ?? 0 }
                    == naiveReached(configuration, values))
            #expect(
                Quorum.verdict(configuration) { votes[$0] } == naiveVerdict(configuration, votes))
        }
    }

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
