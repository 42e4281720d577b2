import Raft

/// What is known from outside about one data directory: what it has promised to others, and which
/// configurations stand in its log.
struct NodeTrack {
    /// The newest term in which it has said anything.
    var termTold: Term = 0
    /// The last entry it has acknowledged and not cut off since.
    private var acknowledged: (index: Index, term: Term) = (0, 0)
    /// In the order of the log; the first may be that of the snapshot, which is at 0.
    private var configurations: [(index: Index, configuration: Configuration)] = []
    /// Of those the ones that were damaged when the node started: it has each as soon as it has the entry again.
    private var lostConfigurations: Set<Index> = []

    var lastConfigurationIndex: Index { configurations.last?.index ?? 0 }

    mutating func noteAcknowledged(_ index: Index, _ term: Term) {
        if index > acknowledged.index { acknowledged = (index, term) }
    }

    mutating func note(_ batch: Batch) {
        if let mark = batch.snapshot {
            configurations.removeAll { batch.resetsLog || $0.index <= mark.index }
            configurations.insert((0, mark.configuration), at: 0)
            if batch.resetsLog { acknowledged = (0, 0) }
        }
        if let from = batch.truncateFrom {
            configurations.removeAll { $0.index >= from }
            // It may still be there after a crash, or not: nobody counts on it any more. Unless it is only written
            // anew, with damaged ones before it.
            let isKept = batch.entries.contains { ($0.index, $0.term) == acknowledged }
            if acknowledged.index >= from, !isKept { acknowledged = (0, 0) }
        }
        for entry in batch.entries {
            if case .configuration(let configuration) = entry.payload {
                configurations.append((entry.index, configuration))
            }
        }
    }

    /// The newest configuration governs from the moment it is appended, committed or not; and the one before it
    /// again when it is cut off.
    func checkConfiguration(_ raft: borrowing Raft) throws(Violation) {
        let known = configurations.last { index, _ in
            !lostConfigurations.contains(index) || index < raft.firstIndex
                || index <= raft.lastIndex && raft.entry(at: index).payload != .lost
        }
        let last = known?.configuration ?? Configuration(voters: [])
        guard raft.configuration == last else {
            throw Violation(
                "the last configuration of the log governs",
                "\(raft.id) goes by \(raft.configuration), its log ends with \(last)")
        }
    }

    /// What was promised is still there, or known as lost.
    /// - Parameter payload: what was written as the entry of an index and a term.
    mutating func checkStart(
        _ raft: borrowing Raft, disk: LogImage, payload: (Index, Term) -> Entry.Payload?
    ) throws(Violation) {
        guard raft.term >= termTold else {
            throw Violation(
                "terms survive a restart",
                "\(raft.id) has spoken in term \(termTold), and starts in \(raft.term)")
        }
        guard acknowledged.index == 0 || disk.knows(acknowledged.index, acknowledged.term) else {
            throw Violation(
                "acknowledged entries survive a restart",
                "\(raft.id) has acknowledged \(acknowledged), its disk ends at \(disk.lastIndex)")
        }
        configurations = [(0, disk.mark.configuration)]
        lostConfigurations = []
        for entry in disk.entries {
            let isLost = entry.payload == .lost
            let whole = isLost ? payload(entry.index, entry.term) : entry.payload
            guard case .configuration(let configuration) = whole else { continue }
            configurations.append((entry.index, configuration))
            if isLost { lostConfigurations.insert(entry.index) }
        }
        try checkConfiguration(raft)
    }
}
