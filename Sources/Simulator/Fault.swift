/// Everything that goes wrong in runs, as the report counts it.
enum Fault: Int, CaseIterable {
    // Messages.
    case dropped, duplicated, replayed, reordered, clogged
    // Links.
    case split, isolated, oneWay, bridge, swizzled
    // Processes.
    case crash, crashBetweenEffects, clusterCrash, pause, slowTurn, slowApply, drain, transfer
    // At the worst moment: a new leader is cut off or crashes, a leader that hands over hears nothing, one with a lease
    // is cut off while others are about to stand, one with much to say is not heard, a node crashes again at once,
    // figure 8 of the paper is staged, a leader is cut off while it changes the members, a worker is answered late,
    // a vote is told late, a founder loses its disk.
    case leaderCutShort, handoverUnheard, leaseTrap, leaderUnheard, relapse, figureEight,
        changeCutShort, beatAnsweredLate, voteHeld, founderLost
    // After all others, until the cluster lives with it.
    case lastingFlaw
    // Members.
    case grow, shrink, exchange, upgrade
    // Disks.
    case powerLoss, unsyncedLost, diskStall, writeError, syncError, diskFull
    case lostWrite, misdirectedWrite, bitRot, wipe
    // Clocks.
    case wallJump, suspend, driftingClock, wrongClock

    var name: String { "\(self)" }
}

/// How often each fault was injected.
struct FaultCounts {
    private(set) var counts = Array(repeating: 0, count: Fault.allCases.count)

    subscript(fault: Fault) -> Int {
        get { counts[fault.rawValue] }
        set { counts[fault.rawValue] = newValue }
    }

    var total: Int { counts.reduce(0, +) }

    mutating func add(_ other: FaultCounts) {
        for place in counts.indices { counts[place] += other.counts[place] }
    }

    /// Every kind, those that never happened as well: a gap in the campaign has to be seen.
    var line: String {
        Fault.allCases.map { "\($0.name) \(self[$0])" }.joined(separator: ", ")
    }
}
