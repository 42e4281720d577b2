import Node
import Raft
import Scheduler

/// What one seed stands for: a cluster, its timing, the faults it suffers and the work it gets. Faults are drawn
/// in groups that are often off altogether: a run in which everything happens hides what some of it alone
/// would show.
struct Scenario {
    /// Founders of the cluster.
    var nodeCount: Int
    /// Machines that may be taken in later.
    var spareCount: Int
    var settings: ReplicaSettings
    var workers: [WorkerShape]
    var network = NetworkFaults()
    var disk = DiskTiming()
    var troubles = DiskTroubles()
    var node = NodeFaults()
    var work = Workload()
    var members = MemberFaults()

    var machineCount: Int { nodeCount + spareCount }

    struct MemberFaults {
        /// Mean time between two changes; nil: none.
        var changeEvery: Nanoseconds?
        /// Changes that begin with the loss of a member's disk.
        var wipePermille = 0
        /// Programs that know the older rules only, until their next start.
        var oldPermille = 0
        /// Spare machines that ask to be taken in by themselves.
        var joinsPermille = 0
        /// Changes in which several members leave and come at once.
        var exchangePermille = 0
        /// Configurations whose leader is cut off when it appends them.
        var changeCutPermille = 0
    }

    struct WorkerShape {
        var slots: UInt32
        var handlers: [String]
        var tags: [String]
    }

    struct NetworkFaults {
        var delay: ClosedRange<Nanoseconds> = 50_000...2_000_000
        var dropPermille = 0
        var duplicatePermille = 0
        /// Copies that come long after the original, from another term or another life of the receiver.
        var replayPermille = 0
        var reorderPermille = 0
        var clogPermille = 0
        /// Mean time between partitions; nil: none.
        var partitionEvery: Nanoseconds?
        var partitionLength: ClosedRange<Nanoseconds> = 50_000_000...5_000_000_000
        /// Not empty.
        var partitionShapes = Network.Shape.allCases
    }

    struct DiskTiming {
        var sync: ClosedRange<Nanoseconds> = 80_000...2_000_000
        var snapshot: ClosedRange<Nanoseconds> = 500_000...30_000_000
        var stallPermille = 0
        var stall: ClosedRange<Nanoseconds> = 50_000_000...1_500_000_000
    }

    struct NodeFaults {
        var crashEvery: Nanoseconds?
        var downFor: ClosedRange<Nanoseconds> = 1_000_000...4_000_000_000
        /// A crash chosen by chance hits this share of the time at an effect boundary.
        var crashAtEffectPermille = 700
        var wholeClusterPermille = 0
        var pauseEvery: Nanoseconds?
        var pauseLength: ClosedRange<Nanoseconds> = 20_000_000...6_000_000_000
        /// The machine sleeps. Its clocks go on, both of them: the node reads CLOCK_BOOTTIME.
        var suspendEvery: Nanoseconds?
        var suspendLength: ClosedRange<Nanoseconds> = 100_000_000...20_000_000_000
        var drainEvery: Nanoseconds?
        var transferEvery: Nanoseconds?
        /// New leaders that are cut off or crash before they have done much.
        var youngLeaderPermille = 0
        /// Mean time between two moments in which the leader is cut off, with its lease if it has one; nil: none.
        var leaseTrapEvery: Nanoseconds?
        /// New leaders that nobody hears, with more to say than the others will have said by then.
        var unheardLeaderPermille = 0
        /// Those that crash before they are heard again.
        var unheardCrashPermille = 0
        /// The leader is cut off at such a time that another one stands when the others may just let it.
        var isLeaseTrapAimed = false
        /// The first machine's clock is the slowest there may be, all others are the fastest, and leases are held by
        /// the first: that is the worst that the stated bound allows.
        var isSlowestToLead = false
        /// Mean time between two stagings of figure 8; nil: none.
        var figureEightEvery: Nanoseconds?
        /// Workers that are told late that they were heard, and are heard no more.
        var lateBeatPermille = 0
        /// Votes that their candidates hear of when they stand again.
        var heldVotePermille = 0
        /// The founder's disk is lost as soon as there is a cluster.
        var losesFounder = false
        /// Starts that end at once.
        var relapsePermille = 0
        var clockJumpEvery: Nanoseconds?
        var clockJumpMilliseconds: Int = 120_000
        var maxWallOffsetMilliseconds: Int = 0
        var maxDriftPPM: Int = 0
        /// No clock in between the fastest and the slowest.
        var isDriftExtreme = false
        /// Between an input and the turn that sees it.
        var turnDelay: ClosedRange<Nanoseconds> = 5_000...300_000
        var slowTurnPermille = 0
        var slowTurn: ClosedRange<Nanoseconds> = 5_000_000...60_000_000
        /// What each applied entry costs the loop before its next turn.
        var applyNanosecondsPerEntry: Nanoseconds = 0
        /// After the faults the smaller half stays away while the rest has to serve.
        var minority: Minority?
    }

    /// What is wrong with those that stay away.
    enum Minority: CaseIterable {
        case dead, cutOff
        /// Heard by all, hearing nobody; and the other way round.
        case deaf, mute
        /// Sees one node of the majority, and that one only.
        case bridged
    }

    struct Workload {
        /// Mean time between two actions of clients.
        var actEvery: Nanoseconds = 50_000_000
        var scheduleEvery: Nanoseconds? = 2_000_000_000
        /// Mean time between two changes of queues; nil: none.
        var queueEvery: Nanoseconds?
        /// Mean time between two bulk jobs; nil: none.
        var bulkEvery: Nanoseconds?
        /// Mean time between two changes of quotas; nil: there is only the default namespace.
        var namespaceEvery: Nanoseconds?
        var keyedPermille = 300
        var unrunnablePermille = 20
        var failPermille = 200
        var endlessPermille = 20
        var atMostOncePermille = 100
        var delayedPermille = 300
        /// Delayed tasks that start at an instant; those may take an hour where clocks are an hour off.
        var atInstantPermille = 200
        var runLength: ClosedRange<Nanoseconds> = 100_000...800_000_000
        var payloadBytes = 0...200
    }
}

extension Scenario {
    static let handlers = ["echo", "fail", "resize", "sleep"]

    static func draw(_ random: inout RandomSource) -> Scenario {
        let count = random.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 6, 7])
        let spares = min(7 - count, random.pick([0, 0, 1, 2]))
        let workers = (0..<count + spares).map { _ in
            WorkerShape(
                slots: UInt32(random.pick([0, 1, 2, 4, 8])),
                handlers: handlers.filter { _ in random.chance(permille: 850) }
                    + [Webhook.handler],
                tags: ["blue", "gpu"].filter { _ in random.chance(permille: 500) })
        }
        var scenario = Scenario(
            nodeCount: count, spareCount: spares, settings: drawSettings(&random),
            workers: workers)
        // Somebody has to be able to do the work.
        scenario.workers[0].slots = max(2, scenario.workers[0].slots)
        scenario.workers[0].handlers = handlers + [Webhook.handler]
        scenario.drawNetwork(&random)
        scenario.troubles = DiskTroubles.draw(&random)
        scenario.drawNodes(&random)
        scenario.drawMembers(&random)
        scenario.drawWork(&random)
        scenario.drawContest(&random)
        scenario.drawLease(&random)
        return scenario
    }

    private static func drawSettings(_ random: inout RandomSource) -> ReplicaSettings {
        var settings = ReplicaSettings()
        let heartbeat = random.within(20...100)
        settings.raft.heartbeatNanoseconds = Nanoseconds(heartbeat) * 1_000_000
        settings.raft.electionNanoseconds =
            settings.raft.heartbeatNanoseconds * Nanoseconds(random.within(3...8))
        settings.workerTimeoutNanoseconds = max(
            Nanoseconds(random.within(800...3_000)) * 1_000_000,
            settings.raft.electionNanoseconds * 4)
        settings.resendNanoseconds = Nanoseconds(random.within(200...1_500)) * 1_000_000
        settings.raft.maxAppendBytes = random.pick([512, 4_096, 65_536])
        settings.raft.learnerBytesPerHeartbeat = 4 * settings.raft.maxAppendBytes
        settings.raft.maxInFlightMessages = random.pick([1, 2, 8, 256])
        settings.raft.maxInFlightBytes = random.pick([2_048, 65_536, 8 << 20])
        settings.raft.maxSnapshotChunkBytes = random.pick([256, 2_048, 65_536])
        settings.raft.maxUncommittedBytes = random.pick([16_384, 1 << 20])
        settings.raft.retainedLogBytes = random.pick([0, 1_024, 16_384])
        settings.snapshotLogBytes = random.pick([2_048, 16_384, 131_072, 64 << 20])
        // By what was drawn above, so that other draws of a seed stay as they are.
        settings.snapshotRestNanoseconds =
            settings.raft.retainedLogBytes == 1_024 ? 2_000_000_000 : 0
        settings.maxEntryBytes = random.pick([256, 2_048, 65_536])
        settings.maxForwardBytes = random.pick([256, 2_048, 65_536])
        settings.applyBudgetBytes = random.pick([64, 1_024, 262_144])
        settings.maxPendingRequests = random.pick([16, 1_024, 65_536])
        settings.maxFiringsPerAdvance = random.pick([1, 7, 500])
        return settings
    }

    static func every(
        _ range: ClosedRange<Int>, _ random: inout RandomSource
    ) -> Nanoseconds {
        Nanoseconds(random.within(range)) * 1_000_000
    }

    private mutating func drawNetwork(_ random: inout RandomSource) {
        if random.chance(permille: 300) {
            network.delay = 1_000_000...random.pick([20_000_000, 60_000_000])
        }
        if random.chance(permille: 500) {
            network.dropPermille = random.pick([1, 10, 50, 200, 300])
        }
        if random.chance(permille: 400) {
            network.duplicatePermille = random.pick([5, 50, 300, 500])
        }
        if random.chance(permille: 300) { network.replayPermille = random.pick([1, 20, 200]) }
        if random.chance(permille: 400) { network.reorderPermille = random.pick([5, 100, 1_000]) }
        if random.chance(permille: 250) { network.clogPermille = random.pick([1, 5]) }
        if nodeCount > 1, random.chance(permille: 600) {
            network.partitionEvery = Self.every(500...8_000, &random)
            if random.chance(permille: 300) {
                network.partitionLength = 1_000_000_000...20_000_000_000
            }
            let shapes = Network.Shape.allCases.filter { _ in random.chance(permille: 500) }
            network.partitionShapes =
                shapes.isEmpty ? [random.pick(Network.Shape.allCases)] : shapes
        }
        if random.chance(permille: 300) {
            disk.sync = 200_000...random.pick([10_000_000, 50_000_000])
        }
        if random.chance(permille: 250) { disk.stallPermille = random.pick([2, 20]) }
    }

    private mutating func drawNodes(_ random: inout RandomSource) {
        if random.chance(permille: 700) {
            node.crashEvery = Self.every(400...10_000, &random)
            node.wholeClusterPermille = random.pick([0, 20, 200])
            node.crashAtEffectPermille = random.pick([0, 700, 1_000])
        }
        if random.chance(permille: 400) { node.pauseEvery = Self.every(500...10_000, &random) }
        if random.chance(permille: 200) { node.suspendEvery = Self.every(2_000...20_000, &random) }
        if random.chance(permille: 200) { node.drainEvery = Self.every(3_000...15_000, &random) }
        if random.chance(permille: 300) { node.transferEvery = Self.every(500...8_000, &random) }
        if random.chance(permille: 150) { node.turnDelay = 5_000...20_000_000 }
        if random.chance(permille: 200) { node.slowTurnPermille = random.pick([1, 20]) }
        if random.chance(permille: 200) {
            node.applyNanosecondsPerEntry = random.pick([10_000, 500_000])
        }
        drawClocks(&random)
        if nodeCount > 2, random.chance(permille: 500) {
            node.minority = random.pick(Minority.allCases)
        }
    }

    private mutating func drawClocks(_ random: inout RandomSource) {
        if random.chance(permille: 300) {
            node.clockJumpEvery = Self.every(1_000...15_000, &random)
            node.clockJumpMilliseconds = random.pick([500, 5_000, 120_000, 3_600_000])
        }
        if random.chance(permille: 500) {
            node.maxWallOffsetMilliseconds = random.pick([20, 2_000, 60_000])
        }
        if random.chance(permille: 500) {
            node.maxDriftPPM = random.pick([100, ClockModel.maxDriftPPM])
        }
    }

    private mutating func drawMembers(_ random: inout RandomSource) {
        if machineCount > 1, random.chance(permille: 500) {
            members.changeEvery = Self.every(500...10_000, &random)
            members.wipePermille = random.pick([0, 300, 800])
        }
        if random.chance(permille: 300) { members.oldPermille = random.pick([300, 1_000]) }
        if random.chance(permille: 300) { members.joinsPermille = 500 }
    }

    private mutating func drawWork(_ random: inout RandomSource) {
        work.actEvery = Nanoseconds(random.pick([20, 60, 150, 300, 1_000])) * 1_000_000
        work.scheduleEvery =
            random.chance(permille: 700)
            ? Nanoseconds(random.within(500...5_000)) * 1_000_000 : nil
        if node.clockJumpEvery != nil, node.clockJumpMilliseconds > 120_000 {
            work.atInstantPermille = 0
        }
        work.keyedPermille = random.pick([0, 300, 800])
        work.failPermille = random.pick([0, 200, 600])
        work.endlessPermille = random.pick([0, 20])
        work.runLength = random.pick([
            50_000...5_000_000, 100_000...800_000_000, 1_000_000...8_000_000_000,
        ])
    }

    /// Leaders come and go, and every append carries little: what one of them leaves behind meets what the next one
    /// brings.
    private mutating func drawContest(_ random: inout RandomSource) {
        guard random.chance(permille: 250) else { return }
        node.youngLeaderPermille = random.pick([100, 400, 800])
        guard random.chance(permille: 500) else { return }
        settings.raft.maxAppendBytes = 512
        settings.raft.learnerBytesPerHeartbeat = 4 * settings.raft.maxAppendBytes
        work.actEvery = 20_000_000
        if node.transferEvery == nil { node.transferEvery = 2_000_000_000 }
    }

    mutating func drawQueues(_ random: inout RandomSource) {
        guard random.chance(permille: 350) else { return }
        work.queueEvery = Self.every(300...3_000, &random)
    }

    mutating func drawBulkJobs(_ random: inout RandomSource) {
        guard random.chance(permille: 300) else { return }
        work.bulkEvery = Self.every(500...5_000, &random)
    }

    mutating func drawNamespaces(_ random: inout RandomSource) {
        guard random.chance(permille: 350) else { return }
        work.namespaceEvery = Self.every(300...3_000, &random)
    }

    private mutating func drawLease(_ random: inout RandomSource) {
        guard random.chance(permille: 300) else { return }
        settings.raft.leaseReads = true
        settings.raft.maxClockDriftPPM = UInt64(ClockModel.maxDriftPPM)
        if nodeCount > 2, random.chance(permille: 700) {
            node.leaseTrapEvery = Self.every(2_000...8_000, &random)
        }
        guard random.chance(permille: 600) else { return }
        node.maxDriftPPM = ClockModel.maxDriftPPM
        node.isDriftExtreme = true
    }
}
