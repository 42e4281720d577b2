import Testing

@testable import Raft

/// The arithmetic against a twin too simple to be wrong: it goes through all sets of nodes and asks of each whether
/// it decides.
@Suite struct QuorumTwinTests {
    private static let names: [NodeID] = ["a", "b", "c", "d", "e", "f", "g"]
    private static let places = Dictionary(
        uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    private static let everybody = UInt64(1) << names.count - 1

    /// Sets are bit masks here; bit n is the node at n of `names`.
    private struct Halves {
        var voters: UInt64
        var outgoing: UInt64

        /// More than half of the voters, and if the configuration is joint more than half of those who go.
        func areDecided(by set: UInt64) -> Bool {
            let isMajority = (set & voters).nonzeroBitCount * 2 > voters.nonzeroBitCount
            guard outgoing != 0 else { return isMajority }
            return isMajority
                && (set & outgoing).nonzeroBitCount * 2 > outgoing.nonzeroBitCount
        }

        var configuration: Configuration {
            Configuration(
                voters: QuorumTwinTests.nodes(voters), outgoing: QuorumTwinTests.nodes(outgoing))
        }
    }

    private static func nodes(_ set: UInt64) -> [NodeID] {
        names.indices.filter { set >> $0 & 1 == 1 }.map { names[$0] }
    }

    /// The highest value that all of some deciding set have reached.
    private func naiveReached(_ halves: Halves, _ values: [UInt64]) -> UInt64 {
        // What all of a set have reached, from that of the set without its first member.
        var lowest = [UInt64](repeating: .max, count: Int(Self.everybody) + 1)
        var best: UInt64 = 0
        for set in 1...Self.everybody {
            let others = lowest[Int(set & (set - 1))]
            lowest[Int(set)] = min(others, values[set.trailingZeroBitCount])
            if lowest[Int(set)] > best, halves.areDecided(by: set) { best = lowest[Int(set)] }
        }
        return best
    }

    /// Won if those who said yes decide; lost if everybody else saying yes would not help.
    private func naiveVerdict(_ halves: Halves, yes: UInt64, no: UInt64) -> Quorum.Verdict {
        if halves.areDecided(by: yes) { return .won }
        return halves.areDecided(by: Self.everybody & ~no) ? .pending : .lost
    }

    private func randomHalves(_ random: inout RandomSource) -> Halves {
        let voters = random.next(below: Self.everybody + 1)
        switch random.next(below: 3) {
        case 0: return Halves(voters: voters, outgoing: 0)
        case 1:
            return Halves(
                voters: voters, outgoing: random.next(below: Self.everybody + 1))
        default:
            // One node more, or less, or both: how members change in life.
            let one: UInt64 = 1 << random.next(below: UInt64(Self.names.count))
            let another = random.next(below: 2) << random.next(below: UInt64(Self.names.count))
            return Halves(voters: voters, outgoing: voters ^ one ^ another)
        }
    }

    @Test func sixtyThousandRandomCases() throws {
        var random = RandomSource(seed: 3)
        for number in 0..<60_000 {
            let halves = randomHalves(&random)
            let configuration = halves.configuration
            // Few values and many, so that there are ties and extremes.
            let bound = [2, 11, UInt64.max][number % 3]
            let values = Self.names.map { _ in
                random.next(below: 20) == 0 ? UInt64.max : random.next(below: bound)
            }
            let reached = Quorum.reached(configuration) { values[Self.places[$0] ?? 0] }
            if reached != naiveReached(halves, values) {
                Issue.record("\(configuration) reached \(reached) of \(values)")
                return
            }
            let yes = random.next(below: Self.everybody + 1)
            let no = random.next(below: Self.everybody + 1) & ~yes
            let verdict = Quorum.verdict(configuration) { voter in
                let bit: UInt64 = 1 << UInt64(Self.places[voter] ?? 0)
                return yes & bit != 0 ? true : no & bit != 0 ? false : nil
            }
            if verdict != naiveVerdict(halves, yes: yes, no: no) {
                Issue.record("\(configuration): \(verdict), yes \(yes), no \(no)")
                return
            }
        }
    }

    /// Why joint consensus is safe: whatever decides while two configurations are in force shares a voter with
    /// whatever decides in either of them alone. All pairs of configurations of five nodes.
    @Test func decisionsOfNeighbouringConfigurationsShareAVoter() {
        let all: ClosedRange<UInt64> = 1...31
        for old in all {
            for new in all {
                let joint = Halves(voters: new, outgoing: old)
                let deciding = all.filter { joint.areDecided(by: $0) }
                let alone = all.filter {
                    Halves(voters: old, outgoing: 0).areDecided(by: $0)
                        || Halves(voters: new, outgoing: 0).areDecided(by: $0)
                }
                let isShared = deciding.allSatisfy { decision in
                    alone.allSatisfy { $0 & decision != 0 }
                }
                if !isShared { Issue.record("\(old) and \(new) decide apart") }
            }
        }
    }

    @Test func unanimityNeedsEveryone() {
        var random = RandomSource(seed: 4)
        for _ in 0..<2_000 {
            let voters = random.next(below: Self.everybody + 1)
            let yes = random.next(below: Self.everybody + 1) | voters >> 1
            let no = random.next(below: Self.everybody + 1) & ~yes
            let verdict = Quorum.unanimity(of: Self.nodes(voters)) { voter in
                let bit: UInt64 = 1 << UInt64(Self.places[voter] ?? 0)
                return yes & bit != 0 ? true : no & bit != 0 ? false : nil
            }
            let expected: Quorum.Verdict =
                voters & no != 0 ? .lost : voters & ~yes == 0 ? .won : .pending
            if verdict != expected { Issue.record("\(voters), yes \(yes), no \(no): \(verdict)") }
        }
    }
}
