import Node
import Raft

/// What must hold in every run, whatever fails. Each check looks only at what is new since the last one; by
/// induction over (index, term) that covers whole logs.
struct Invariants {
    private(set) var ledger = Ledger()
    private var leaders: [Term: NodeID] = [:]
    private var votes: [Ballot: NodeID] = [:]
    private var written: [Position: Fingerprint] = [:]
    private var standings: [Standing?]
    private(set) var elections = 0
    private var tracks: [NodeTrack]
    /// Committed ones, the founding one among them.
    private(set) var configurationsCommitted = 0
    private(set) var committedConfiguration: (index: Index, configuration: Configuration)?

    private struct Ballot: Hashable {
        var voter: NodeID
        var term: Term
    }

    private struct Position: Hashable {
        var index: Index
        var term: Term
    }

    private struct Fingerprint: Equatable {
        var payload: Entry.Payload
        var previousTerm: Term
    }

    /// What a node was seen to know; forgotten when it crashes.
    private struct Standing {
        var term: Term
        var commit: Index
        var applied: Index
        /// At the end of the last turn: a leader's commit index may still have been counted by it.
        var configuration: Configuration
    }

    init(nodeCount: Int) {
        standings = Array(repeating: nil, count: nodeCount)
        tracks = Array(repeating: NodeTrack(), count: nodeCount)
    }

    mutating func nodeStopped(_ node: Int) { standings[node] = nil }

    /// Its disk is empty now: it is somebody else, who has promised nothing.
    mutating func nodeLostDisk(_ node: Int) { tracks[node] = NodeTrack() }

    mutating func nodeStarts(
        _ node: Int, _ raft: borrowing Raft, disk: LogImage
    ) throws(Violation) {
        try tracks[node].checkStart(raft, disk: disk) { index, term in
            written[Position(index: index, term: term)]?.payload
        }
        if let vote = votes[Ballot(voter: raft.id, term: raft.term)], raft.vote != vote {
            throw Violation(
                "votes survive a restart",
                "\(raft.id) voted for \(vote) in term \(raft.term), and now knows \(String(describing: raft.vote))"
            )
        }
    }

    mutating func note(_ batch: Batch, of node: Int) { tracks[node].note(batch) }

    /// None of these nodes' logs has a configuration that is not committed.
    func areConfigurationsCommitted(on numbers: [Int]) -> Bool {
        let last = committedConfiguration?.index ?? 0
        return numbers.allSatisfy { tracks[$0].lastConfigurationIndex <= last }
    }

    // MARK: What leaves a node

    /// Log matching: an entry's index and term determine its content and the term of the one before it. And
    /// what is committed is not cut off.
    mutating func check(
        persisting batch: Batch, on disk: LogImage, of id: NodeID
    ) throws(Violation) {
        if let from = batch.truncateFrom, from <= ledger.lastIndex, !batch.resetsLog,
            disk.term(at: from) == ledger[from].entry.term,
            !ledger.isKept(by: batch, from: from, of: disk)
        {
            throw Violation("committed entries are kept", "\(id) cuts off committed entry \(from)")
        }
        guard let first = batch.entries.first else { return }
        var previousTerm: Term? = disk.term(at: first.index - 1)
        if let mark = batch.snapshot, mark.index == first.index - 1 { previousTerm = mark.term }
        for entry in batch.entries {
            guard let before = previousTerm else {
                throw Violation("log shape", "\(id) appends \(entry.index) behind nothing")
            }
            let place = Position(index: entry.index, term: entry.term)
            let content = Fingerprint(payload: entry.payload, previousTerm: before)
            if let known = written[place] {
                guard known == content else {
                    throw Violation(
                        "log matching",
                        "\(id) writes another entry at (\(entry.index), \(entry.term))")
                }
            } else {
                written[place] = content
            }
            previousTerm = entry.term
        }
    }

    private mutating func noteVote(
        of voter: NodeID, in term: Term, for candidate: NodeID
    ) throws(Violation) {
        let ballot = Ballot(voter: voter, term: term)
        if let earlier = votes[ballot], earlier != candidate {
            throw Violation(
                "one vote a term", "\(voter) votes for \(earlier) and \(candidate) in term \(term)")
        }
        votes[ballot] = candidate
    }

    /// A message promises only what is on its sender's disk.
    mutating func check(
        sending message: Message, number: Int, disk: LogImage, role: Role
    ) throws(Violation) {
        let id = message.from
        switch message.body {
        case .preVoteRequest, .preVoteReply: break
        default:
            guard message.term <= disk.hardState.term else {
                throw Violation(
                    "term durable before it is told",
                    "\(id) speaks in term \(message.term), disk has \(disk.hardState)")
            }
        }
        tracks[number].termTold = max(
            tracks[number].termTold, min(message.term, disk.hardState.term))
        switch message.body {
        case .voteReply(granted: true):
            guard disk.hardState == HardState(term: message.term, vote: message.to) else {
                throw Violation(
                    "vote durable before its reply",
                    "\(id) grants term \(message.term) to \(message.to), disk has \(disk.hardState)"
                )
            }
            try noteVote(of: id, in: message.term, for: message.to)
        case .voteRequest(let request):
            // One that waited for the disk while another won the term leaves late, and elects nobody.
            guard role == .candidate else { return }
            guard disk.hardState == HardState(term: message.term, vote: id),
                disk.holds(request.lastIndex, request.lastTerm)
            else {
                throw Violation(
                    "candidacy durable before its request",
                    "\(id) asks for term \(message.term), disk has \(disk.hardState)")
            }
            try noteVote(of: id, in: message.term, for: id)
        case .appendReply(let reply):
            guard let index = reply.promisedIndex else { return }
            guard disk.hardState.term >= message.term, disk.lastIndex >= index else {
                throw Violation(
                    "entry durable before its acknowledgement",
                    "\(id) acknowledges \(index) in term \(message.term), disk ends at \(disk.lastIndex)"
                )
            }
        case .snapshotReply(let reply):
            guard !reply.isInstalled || disk.lastIndex >= reply.index else {
                throw Violation(
                    "snapshot durable before its acknowledgement",
                    "\(id) acknowledges \(reply.index), disk ends at \(disk.lastIndex)")
            }
        default: return
        }
    }

    /// The acknowledged entry is the one that the node has in memory, and that one is on disk.
    mutating func check(
        acknowledged index: Index, by raft: borrowing Raft, number: Int, disk: LogImage
    ) throws(Violation) {
        guard index >= raft.firstIndex, index <= raft.lastIndex else { return }
        let term = raft.entry(at: index).term
        tracks[number].noteAcknowledged(index, term)
        guard disk.holds(index, term) else {
            throw Violation(
                "entry durable before its acknowledgement",
                "\(raft.id) acknowledges (\(index), \(term)), disk has another entry there")
        }
    }

    // MARK: After a turn

    /// Returns the newly committed entries, each exactly once in a run.
    mutating func check(
        _ raft: borrowing Raft, applied: Index, isRestoring: Bool, node: Int,
        holds: (NodeID, Index, Term) -> Bool
    ) throws(Violation) -> ArraySlice<Ledger.Line> {
        let id = raft.id
        let known =
            standings[node]
            ?? Standing(term: 0, commit: 0, applied: 0, configuration: raft.configuration)
        guard raft.term >= known.term, raft.commitIndex >= known.commit, applied >= known.applied
        else {
            throw Violation(
                "monotone term, commit, applied",
                "\(id) went from \(known) to (\(raft.term), \(raft.commitIndex), \(applied))")
        }
        standings[node] = Standing(
            term: raft.term, commit: raft.commitIndex, applied: applied,
            configuration: known.configuration)
        // Between the arrival of a snapshot and its loading the state lags behind the log.
        let lags = isRestoring || raft.appliableIndex < raft.snapshotMark.index
        guard lags || raft.snapshotMark.index <= applied, applied <= raft.commitIndex,
            raft.commitIndex <= raft.lastIndex
        else {
            throw Violation(
                "snapshot ≤ applied ≤ commit ≤ last",
                "\(id): \(raft.snapshotMark.index), \(applied), \(raft.commitIndex), \(raft.lastIndex)"
            )
        }
        try tracks[node].checkConfiguration(raft)
        if raft.role == .leader { try checkLeader(raft) }
        guard !raft.isDamaged || raft.role == .follower else {
            throw Violation(
                "a damaged node stands in no election",
                "\(id) is \(raft.role) in term \(raft.term), and its disk has lost something")
        }
        standings[node]?.configuration = raft.configuration
        return try extendLedger(raft, from: known.commit, known.configuration, holds)
    }

    private mutating func checkLeader(_ raft: borrowing Raft) throws(Violation) {
        if let other = leaders[raft.term] {
            guard other == raft.id else {
                throw Violation(
                    "one leader a term", "\(other) and \(raft.id) lead in term \(raft.term)")
            }
            return
        }
        leaders[raft.term] = raft.id
        elections += 1
        // By log matching the last entry stands for all before it.
        var index = ledger.lastIndex
        while index > 0, ledger[index].committedInTerm >= raft.term { index -= 1 }
        guard index > raft.snapshotMark.index else { return }
        let term = ledger[index].entry.term
        guard index <= raft.lastIndex, index < raft.firstIndex || raft.entry(at: index).term == term
        else {
            throw Violation(
                "leader completeness",
                "\(raft.id) leads term \(raft.term) without committed entry (\(index), \(term))")
        }
    }

    private mutating func extendLedger(
        _ raft: borrowing Raft, from known: Index, _ former: Configuration,
        _ holds: (NodeID, Index, Term) -> Bool
    ) throws(Violation) -> ArraySlice<Ledger.Line> {
        let before = ledger.lines.count
        var index = max(known, raft.snapshotMark.index, raft.firstIndex - 1) + 1
        let mark = raft.snapshotMark
        guard mark.index <= ledger.lastIndex,
            mark.index == 0 || ledger[mark.index].entry.term == mark.term
        else {
            throw Violation(
                "snapshots hold committed state", "\(raft.id) has a snapshot at \(mark.index)")
        }
        while index <= raft.commitIndex {
            let entry = raft.entry(at: index)
            if index <= ledger.lastIndex {
                guard
                    entry == ledger[index].entry
                        || entry.payload == .lost && entry.term == ledger[index].entry.term
                else {
                    throw Violation(
                        "committed entries are the same everywhere",
                        "\(raft.id) has another entry \(index) in term \(entry.term)")
                }
            } else {
                guard index == ledger.lastIndex + 1 else {
                    throw Violation("log shape", "\(raft.id) commits \(index) out of the blue")
                }
                ledger.append(entry, committedInTerm: raft.term)
                if case .configuration(let configuration) = entry.payload {
                    configurationsCommitted += 1
                    committedConfiguration = (index, configuration)
                }
            }
            index += 1
        }
        if ledger.lines.count > before {
            try checkQuorum([former, raft.configuration], holds, raft.id)
        }
        return ledger.lines[before...]
    }

    /// By the configuration that governed: the one the leader had when it counted, both sides of a joint one.
    private func checkQuorum(
        _ governing: [Configuration], _ holds: (NodeID, Index, Term) -> Bool, _ observer: NodeID
    ) throws(Violation) {
        let last = ledger.lastIndex
        let term = ledger[last].entry.term
        func isMajority(_ voters: [NodeID]) -> Bool {
            voters.isEmpty || voters.count { holds($0, last, term) } * 2 > voters.count
        }
        guard
            governing.contains(where: {
                $0.isFounded && isMajority($0.voters) && isMajority($0.outgoing)
            })
        else {
            throw Violation(
                "committed means durable on a quorum",
                "\(observer) takes (\(last), \(term)) for committed, and no quorum of \(governing) has it"
            )
        }
    }
}
