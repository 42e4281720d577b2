import Raft

/// What runs amounted to.
struct Report {
    var seeds = 0
    var virtualNanoseconds: Nanoseconds = 0
    var recoveryNanoseconds: Nanoseconds = 0
    var turns = 0
    var elections = 0
    var commits = 0
    var crashes = 0
    var pauses = 0
    var partitions = 0
    var messages = 0
    var dropped = 0
    var snapshots = 0
    var installs = 0
    var leasesLost = 0
    var executions = 0
    /// Attempts that began while an older one of their task still ran.
    var overlaps = 0
    var staleFinishes = 0
    var firings = 0
    var tasks = 0
    var acknowledged = 0
    var answers = 0
    var refusals = 0
    var reads = 0
    /// Of the run; of several runs, all of them mixed in order.
    var digest: UInt64 = 0

    mutating func add(_ other: Report) {
        seeds += other.seeds
        virtualNanoseconds += other.virtualNanoseconds
        recoveryNanoseconds = max(recoveryNanoseconds, other.recoveryNanoseconds)
        turns += other.turns
        elections += other.elections
        commits += other.commits
        crashes += other.crashes
        pauses += other.pauses
        partitions += other.partitions
        messages += other.messages
        dropped += other.dropped
        snapshots += other.snapshots
        installs += other.installs
        leasesLost += other.leasesLost
        executions += other.executions
        overlaps += other.overlaps
        staleFinishes += other.staleFinishes
        firings += other.firings
        tasks += other.tasks
        acknowledged += other.acknowledged
        answers += other.answers
        refusals += other.refusals
        reads += other.reads
        digest = (digest ^ other.digest) &* 0x9E37_79B9_7F4A_7C15
    }

    var virtualSeconds: Double { Double(virtualNanoseconds) / 1e9 }

    /// One line of everything; `wallSeconds` is what the runs took on this machine.
    func line(wallSeconds: Double) -> String {
        let hours = (virtualSeconds / 36).rounded() / 100
        let speed = Int(virtualSeconds / max(wallSeconds, 0.001))
        return """
            \(seeds) seeds, \(hours) virtual hours at \(speed)x life · \(elections) elections, \
            \(commits) commits, \(crashes) crashes, \(pauses) pauses, \(partitions) partitions, \
            \(dropped) of \(messages) messages dropped, \(snapshots) snapshots, \(installs) installed \
            · \(tasks) tasks, \(acknowledged) acknowledged, \(executions) executions, \
            \(overlaps) overlapping, \(leasesLost) leases lost, \(staleFinishes) stale finishes, \
            \(firings) occurrences, \(reads) reads, \(refusals) refusals \
            · slowest recovery \(recoveryNanoseconds / 1_000_000_000) s \
            · digest \(String(digest, radix: 16))
            """
    }
}
