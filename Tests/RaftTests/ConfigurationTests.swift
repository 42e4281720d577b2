import Testing

@testable import Raft

/// The newest configuration in the log governs, committed or not (section 6).
@Suite struct ConfigurationTests {
    private let old = Configuration(voters: ["n1", "n2", "n3"])
    private let new = Configuration(voters: ["n1", "n2", "n4"])

    private func append(_ configuration: Configuration, at index: Index, term: Term) -> Message.Body
    {
        .append(
            Message.Append(
                previousIndex: index - 1, previousTerm: 1, commit: 0,
                entries: [Entry(index: index, term: term, payload: .configuration(configuration))],
                round: 1))
    }

    @Test func appendingIsEnough() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(new, at: 2, term: 1), from: "n2", term: 1)
        #expect(bench.raft.configuration == new)
        #expect(bench.raft.commitIndex == 0)
    }

    @Test func truncationRollsBack() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(new, at: 2, term: 1), from: "n2", term: 1)
        _ = bench.receive(RaftTests.append(after: 1, 1, [2]), from: "n3", term: 2)
        #expect(bench.raft.configuration == old)
        #expect(bench.raft.logText == "1 2")
    }

    @Test func bootFindsTheNewestAppended() {
        var image = Recovered(voters: ["n1", "n2", "n3"], terms: [1])
        image.entries.append(Entry(index: 2, term: 1, payload: .configuration(new)))
        let bench = Bench("n1", image)
        #expect(bench.raft.configuration == new)
    }

    /// A snapshot must not hold a configuration that may yet be rolled back.
    @Test func aMarkHoldsTheConfigurationOfItsIndex() {
        var bench = Bench(terms: [1])
        _ = bench.receive(append(new, at: 2, term: 1), from: "n2", term: 1)
        _ = bench.receive(RaftTests.append(after: 2, 1, [1], commit: 1), from: "n2", term: 1)
        _ = bench.sync()
        #expect(bench.raft.mark(at: 1).configuration == old)
        _ = bench.receive(RaftTests.append(after: 3, 1, commit: 3, round: 3), from: "n2", term: 1)
        let mark = bench.raft.mark(at: 3)
        #expect(mark.configuration == new)
        _ = bench.turn(.snapshotTaken(mark))
        #expect(bench.raft.configuration == new)
    }

    /// A joint configuration found at boot commits only with a majority of both halves.
    @Test func aRecoveredJointConfigurationNeedsBothHalves() throws {
        let joint = Configuration(voters: ["n1", "n2", "n3"], outgoing: ["n1", "n4", "n5"])
        var image = Recovered(voters: ["n1", "n4", "n5"], terms: [1])
        image.entries.append(Entry(index: 2, term: 1, payload: .configuration(joint)))
        var bench = Bench("n1", image)
        bench.now = bench.raft.nextDeadline
        #expect(bench.turn(.tick).sent.count == 4)
        _ = bench.receive(.preVoteReply(granted: true), from: "n2", term: 2)
        #expect(bench.raft.role == .preCandidate)
        _ = bench.receive(.preVoteReply(granted: true), from: "n5", term: 2)
        #expect(bench.raft.role == .candidate)
        _ = bench.sync()
        _ = bench.receive(.voteReply(granted: true), from: "n3", term: 2)
        #expect(bench.raft.role == .candidate)
        _ = bench.receive(.voteReply(granted: true), from: "n4", term: 2)
        #expect(bench.raft.role == .leader)
        _ = bench.sync()
        _ = bench.acknowledge(from: "n2")
        #expect(bench.raft.commitIndex == 0)
        _ = bench.acknowledge(from: "n4")
        #expect(bench.raft.commitIndex == 3)
    }

    @Test func membersAreSortedAndUnique() {
        let joint = Configuration(voters: ["c", "a"], outgoing: ["b", "a"], learners: ["d"])
        #expect(joint.members == ["a", "b", "c", "d"])
    }
}
