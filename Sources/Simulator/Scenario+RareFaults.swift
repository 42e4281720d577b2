import Raft
import Scheduler

/// What happens in few runs. It is drawn from sources of its own, so that runs without it stay as they are.
extension Scenario {
    mutating func drawRareFaults(_ random: inout RandomSource) {
        troubles.drawDamage(&random)
        if random.chance(permille: 250) {
            node.relapsePermille = random.pick([100, 500])
            // What a crash tears has to be longer than what the next start writes.
            work.payloadBytes = 0...random.pick([200, 4_000])
        }
        if nodeCount > 2, random.chance(permille: 150) {
            node.unheardLeaderPermille = random.pick([200, 600])
            settings.snapshotLogBytes = 2_048
            settings.raft.retainedLogBytes = 0
            settings.raft.maxUncommittedBytes = 1 << 20
        }
    }

    /// What waits for its moment, or is staged.
    mutating func drawPlots(_ random: inout RandomSource) {
        if nodeCount == 3, random.chance(permille: 250) {
            node.figureEightEvery = Self.every(1_000...6_000, &random)
            settings.raft.maxAppendBytes = 512
            settings.raft.learnerBytesPerHeartbeat = 4 * settings.raft.maxAppendBytes
        }
        if nodeCount > 2, nodeCount < 6, random.chance(permille: 250) {
            drawExchanges(&random)
        } else if members.changeEvery != nil, random.chance(permille: 300) {
            members.changeCutPermille = 300
        }
        if node.unheardLeaderPermille > 0, random.chance(permille: 500) {
            node.unheardCrashPermille = 600
            // By the first rules nobody can take the place of one whose disk is refused.
            members.oldPermille = 0
            troubles.damagePermille = 1_000
        }
        if nodeCount == 3, random.chance(permille: 200) { node.heldVotePermille = 200 }
        if nodeCount > 1, random.chance(permille: 100) { node.lateBeatPermille = 4 }
        if nodeCount > 2 { drawLeaseTraps(&random) }
        if nodeCount == 3 || nodeCount == 5, random.chance(permille: 50) {
            node.losesFounder = true
            node.youngLeaderPermille = 0
            // By the first rules nobody can take the place of one whose disk is lost.
            members.oldPermille = 0
        }
    }

    private mutating func drawLeaseTraps(_ random: inout RandomSource) {
        if node.leaseTrapEvery == nil, random.chance(permille: 100) {
            // Without leases it shows whether a read waits for an answer to it.
            node.leaseTrapEvery = Self.every(2_000...8_000, &random)
        }
        if node.leaseTrapEvery != nil, random.chance(permille: 600) {
            node.isLeaseTrapAimed = true
            if random.chance(permille: 600) { leaveTrapsAlone() }
        }
        if nodeCount == 3, random.chance(permille: 150) { letSlowestLead(&random) }
    }

    /// Nothing but the worst clocks that the stated bound allows, and trap after trap for the leader's lease.
    private mutating func letSlowestLead(_ random: inout RandomSource) {
        members = MemberFaults()
        troubles = DiskTroubles()
        node = NodeFaults()
        leaveTrapsAlone()
        // Who does not hear the leader must not have missed much, or nobody votes for it.
        work.actEvery = 8_000_000_000
        work.scheduleEvery = nil
        node.isSlowestToLead = true
        node.maxDriftPPM = ClockModel.maxDriftPPM
        settings.raft.leaseReads = true
        settings.raft.maxClockDriftPPM = UInt64(ClockModel.maxDriftPPM)
        node.leaseTrapEvery = Self.every(500...2_000, &random)
        node.isLeaseTrapAimed = true
    }

    /// Links, disks and patience such that a few hundredths of an election timeout are enough for an election.
    private mutating func leaveTrapsAlone() {
        network = NetworkFaults()
        disk = DiskTiming()
        node.turnDelay = 5_000...300_000
        node.slowTurnPermille = 0
        node.applyNanosecondsPerEntry = 0
        settings.raft.heartbeatNanoseconds = 100_000_000
        // No multiple of the heartbeat: a leader that nobody answers steps down with one, and later than it has to.
        settings.raft.electionNanoseconds = 860_000_000
        settings.workerTimeoutNanoseconds = max(settings.workerTimeoutNanoseconds, 3_440_000_000)
    }

    /// Other machines take the places of several members at once, so that majorities before and after have nobody in
    /// common.
    private mutating func drawExchanges(_ random: inout RandomSource) {
        spareCount = 2
        while workers.count < machineCount {
            workers.append(
                WorkerShape(slots: 2, handlers: Self.handlers + [Webhook.handler], tags: []))
        }
        members.changeEvery = Self.every(1_000...4_000, &random)
        members.exchangePermille = 700
        members.changeCutPermille = random.pick([300, 600])
        members.wipePermille = random.pick([0, 300])
    }
}
