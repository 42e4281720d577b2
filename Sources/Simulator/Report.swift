import Raft

/// What runs amounted to.
struct Report {
    var seeds = 0
    var virtualNanoseconds = 0
    var recoveryNanoseconds = 0
    var turns = 0
    var elections = 0
    var commits = 0
    var messages = 0
    var snapshots = 0
    var installs = 0
    var membershipChanges = 0
    /// Runs whose cluster had to serve with a minority gone for good before everything was healed.
    var minoritiesGone = 0
    /// Starts, and readings of snapshots, that met damage and went on.
    var damagesFound = 0
    /// Disks so damaged that their nodes refused them.
    var disksRefused = 0
    var leasesLost = 0
    var executions = 0
    /// Attempts that began while an older one of their task still ran.
    var overlaps = 0
    var staleFinishes = 0
    var firings = 0
    /// Tasks that started after they had waited for others, and workflows that came as a whole.
    var successors = 0
    var workflows = 0
    /// Occurrences of schedules that were skipped or missed.
    var passed = 0
    /// Instants of schedules that had passed and were counted, each once.
    var accounted = 0
    /// Elections behind the first one of a run.
    var failovers = 0
    /// Starts of attempts that were checked against what their queue allowed.
    var queueStarts = 0
    /// Occurrences that backfills made up for.
    var backfilled = 0
    /// And against what it allowed to tasks with the same value under a key.
    var keyStarts = 0
    var breakerOpenings = 0
    /// Ends of tasks that somebody was told of, and those that came by an overall time-out.
    var told = 0
    var overdue = 0
    /// That were done, and left nothing out.
    var bulkJobs = 0
    /// Tasks that were answered with an earlier result.
    var cachedAnswers = 0
    /// Attempts of workers outside of the cluster, and how often one of them lost the cluster.
    var attachedExecutions = 0
    var attachedLeasesLost = 0
    /// Requests to attach that came again, or late.
    var attachedAgain = 0
    /// Beginnings of tasks that must not run twice, and attempts that were handed back before they began.
    var onceBeginnings = 0
    var neverBegun = 0
    /// Starts and submissions that were checked against the quotas of their namespaces.
    var quotaStarts = 0
    var quotaSubmits = 0
    /// Tasks that went when they were on record.
    var exported = 0
    /// Starts that were checked to come in turn, and tasks that were dropped after their end.
    var turnsChecked = 0
    var dropped = 0
    var tasks = 0
    var acknowledged = 0
    var answers = 0
    var refusals = 0
    var reads = 0
    /// Operations on registers that were checked to be linearizable.
    var registerOperations = 0
    var faults = FaultCounts()
    /// Of the run; of several runs, the sum of all, so that their order does not matter.
    var digest: UInt64 = 0

    /// Everything that is added up over runs.
    private static var sums: [WritableKeyPath<Report, Int>] {
        [
            \.seeds, \.virtualNanoseconds, \.turns, \.elections, \.commits, \.messages,
            \.snapshots, \.installs, \.membershipChanges, \.minoritiesGone, \.damagesFound,
            \.disksRefused, \.leasesLost,
            \.executions, \.overlaps, \.staleFinishes, \.firings, \.passed, \.tasks,
            \.acknowledged, \.answers, \.refusals, \.reads, \.registerOperations,
            \.successors, \.workflows, \.queueStarts, \.keyStarts, \.breakerOpenings, \.told,
            \.overdue, \.bulkJobs, \.cachedAnswers, \.backfilled, \.accounted, \.failovers,
            \.quotaStarts, \.quotaSubmits, \.exported, \.attachedExecutions, \.attachedLeasesLost,
            \.turnsChecked, \.dropped, \.onceBeginnings, \.neverBegun, \.attachedAgain,
        ]
    }

    mutating func add(_ other: Report) {
        for sum in Self.sums { self[keyPath: sum] += other[keyPath: sum] }
        recoveryNanoseconds = max(recoveryNanoseconds, other.recoveryNanoseconds)
        faults.add(other.faults)
        digest &+= other.digest
    }

    var virtualSeconds: Double { Double(virtualNanoseconds) / 1e9 }

    func speed(wallSeconds: Double) -> Int { Int(virtualSeconds / max(wallSeconds, 0.001)) }

    var virtualHours: Double { (virtualSeconds / 36).rounded() / 100 }

    /// Everything; `wallSeconds` is what the runs took on this machine.
    func text(wallSeconds: Double) -> String {
        """
        \(seeds) seeds, \(virtualHours) virtual hours at \(speed(wallSeconds: wallSeconds))x life
        cluster: \(elections) elections, \(commits) commits, \(snapshots) snapshots, \(installs) installed, \
        \(membershipChanges) membership changes, \(messages) messages, \
        \(minoritiesGone) runs with a minority gone for good, \(damagesFound) damages lived through, \
        \(disksRefused) disks refused
        faults: \(faults.line)
        work: \(tasks) tasks, \(acknowledged) acknowledged, \(executions) executions, \
        \(overlaps) overlapping, \(leasesLost) leases lost, \(staleFinishes) stale finishes, \
        \(firings) occurrences, \(passed) skipped or missed, \(workflows) workflows, \(successors) successors, \(reads) reads, \(registerOperations) register operations, \
        \(refusals) refusals
        schedules: \(accounted) occurrences accounted for over \(failovers) failovers, \(backfilled) made up for by backfills
        queues: \(queueStarts) starts checked, \(keyStarts) by key, \(turnsChecked) turns, \(breakerOpenings) breakers opened, \
        \(bulkJobs) bulk jobs checked, \(cachedAnswers) cached answers
        quotas: \(quotaStarts) starts and \(quotaSubmits) submissions checked; \(exported) tasks exported
        attached workers: \(attachedExecutions) attempts, \(attachedLeasesLost) leases lost, \(attachedAgain) attached again
        at most once: \(onceBeginnings) beginnings checked, \(neverBegun) attempts handed back before
        ends: \(told) told of, \(overdue) by an overall time-out, \(dropped) tasks dropped
        slowest recovery \(recoveryNanoseconds / 1_000_000_000) s · digest \(String(digest, radix: 16))
        """
    }
}

// MARK: Between processes

extension Report {
    /// Numbers in the order of `sums`, the faults, and the rest.
    var words: [UInt64] {
        Self.sums.map { UInt64(self[keyPath: $0]) } + faults.counts.map(UInt64.init)
            + [UInt64(recoveryNanoseconds), digest]
    }

    /// nil: these are not the words of a report.
    init?(words: [UInt64]) {
        let sums = Self.sums
        guard words.count == sums.count + Fault.allCases.count + 2 else { return nil }
        for (sum, word) in zip(sums, words) { self[keyPath: sum] = Int(word) }
        for fault in Fault.allCases {
            faults[fault] = Int(words[sums.count + fault.rawValue])
        }
        recoveryNanoseconds = Int(words[words.count - 2])
        digest = words[words.count - 1]
    }
}
