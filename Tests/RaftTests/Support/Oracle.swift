import Raft
import Testing

/// Watches a cluster from above and knows what no node knows: what each of them ever promised.
struct Oracle {
    private struct Place: Hashable {
        let index: Index
        let term: Term
    }

    private struct Ballot: Hashable {
        let voter: NodeID
        let term: Term
    }

    private(set) var committed: [Index: Entry] = [:]
    private(set) var maxCommit: Index = 0
    private(set) var faults: [String] = []
    private var leaders: [Term: NodeID] = [:]
    private var votes: [Ballot: NodeID] = [:]
    /// Every entry ever written, with the term of the one before it.
    private var written: [Place: (entry: Entry, previousTerm: Term?)] = [:]
    private var hashes: [Index: UInt64] = [:]

    mutating func expect(_ condition: Bool, _ fault: @autoclosure () -> String) {
        if !condition { faults.append(fault()) }
    }

    /// Election safety and leader completeness.
    mutating func sawLeader(_ raft: Raft) {
        if let other = leaders[raft.term] {
            expect(other == raft.id, "term \(raft.term) has leaders \(other) and \(raft.id)")
            return
        }
        leaders[raft.term] = raft.id
        expect(raft.lastIndex >= maxCommit, "\(raft.id) leads without all that is committed")
        guard maxCommit >= raft.firstIndex, raft.lastIndex >= maxCommit else { return }
        for entry in raft.entries(from: raft.firstIndex, through: maxCommit) {
            expect(
                committed[entry.index] == entry || committed[entry.index] == nil,
                "\(raft.id) leads term \(raft.term) without committed entry \(entry.index)")
        }
    }

    /// Log matching, by induction over what is written.
    mutating func sawWritten(_ entries: [Entry], after previousTerm: Term?) {
        var previous = previousTerm
        for entry in entries {
            let place = Place(index: entry.index, term: entry.term)
            if let known = written[place] {
                expect(known.entry == entry, "two entries \(entry.index) of term \(entry.term)")
                expect(
                    known.previousTerm == previous || previous == nil || known.previousTerm == nil,
                    "entry \(entry.index) of term \(entry.term) follows two terms")
            } else {
                written[place] = (entry, previous)
            }
            previous = entry.term
        }
    }

    /// Committed entries never change; a leader's are durable on a majority.
    mutating func sawCommit(
        from before: Index, _ raft: Raft, under configuration: Configuration,
        disks: [NodeID: TestDisk]
    ) {
        guard raft.commitIndex > before else { return }
        let first = max(before + 1, raft.firstIndex)
        if first <= raft.commitIndex {
            for entry in raft.entries(from: first, through: raft.commitIndex)
            where entry.payload != .lost {
                if let known = committed[entry.index] {
                    expect(known == entry, "committed entry \(entry.index) differs on \(raft.id)")
                } else {
                    committed[entry.index] = entry
                }
            }
        }
        maxCommit = max(maxCommit, raft.commitIndex)
        guard raft.role == .leader else { return }
        for voters in [configuration.voters, configuration.outgoing]
        where !voters.isEmpty {
            let holders = voters.filter { voter in
                disks[voter]?.holds(raft.commitIndex, term: raft.entry(at: raft.commitIndex).term)
                    == true
            }
            expect(
                holders.count > voters.count / 2,
                "\(raft.id) committed \(raft.commitIndex), durable only on \(holders)")
        }
    }

    mutating func sawApplied(_ index: Index, hash: UInt64, on node: NodeID) {
        if let known = hashes[index] {
            expect(known == hash, "\(node) has another state at \(index)")
        } else {
            hashes[index] = hash
        }
    }

    /// No fact leaves that the disk does not hold.
    mutating func sawSent(_ message: Message, by raft: Raft, disk: TestDisk) {
        let image = disk.image
        switch message.body {
        case .voteReply(granted: true):
            expect(
                image.hardState == HardState(term: message.term, vote: message.to),
                "\(raft.id) sent a vote that is not durable")
            let ballot = Ballot(voter: raft.id, term: message.term)
            expect(
                votes[ballot] ?? message.to == message.to,
                "\(raft.id) voted twice in term \(message.term)")
            votes[ballot] = message.to
        case .voteRequest(let request):
            expect(
                image.hardState == HardState(term: message.term, vote: raft.id),
                "\(raft.id) asked for votes with a term that is not durable")
            expect(
                disk.holds(request.lastIndex, term: request.lastTerm),
                "\(raft.id) advertised a log that is not durable")
        case .appendReply(let reply):
            let index: Index
            switch reply.outcome {
            case .matched(let matched), .damaged(let matched, _): index = matched
            case .conflict, .received: index = 0
            }
            expect(disk.isWhole(through: index), "\(raft.id) acknowledged past its damage")
            let term = raft.firstIndex <= index ? raft.entry(at: index).term : nil
            expect(
                term.map { disk.holds(index, term: $0) } ?? (index <= disk.lastIndex),
                "\(raft.id) acknowledged \(index), which is not durable")
        case .snapshotReply(let reply) where reply.isInstalled:
            expect(disk.lastIndex >= reply.index, "\(raft.id) claims a snapshot it may lose")
        case .append:
            expect(image.hardState.term >= message.term, "\(raft.id) leads in a term it may lose")
        default: break
        }
        let isPreVote =
            if case .preVoteRequest = message.body {
                true
            } else if case .preVoteReply(true) = message.body { true } else { false }
        expect(
            isPreVote || image.hardState.term >= message.term,
            "\(raft.id) let out a term that is not durable")
    }
}
