import Node
import Raft
import Scheduler

/// One run: a cluster, its faults and its clients under one seed, in virtual time. `run` throws at the first
/// rule that is broken.
final class Simulation {
    enum Phase {
        /// Faults and clients act.
        case chaos
        /// A minority is away for good, all else is healed, and the majority has to serve.
        case minorityAway
        /// Everything is healed, and the cluster has to come to rest.
        case recovery
        case done
    }

    let seed: UInt64
    let scenario: Scenario
    let log: TextLog
    let chaosLength: Nanoseconds
    /// Schedules of a second each beside the usual ones.
    let crowd: Int
    var random: RandomSource
    /// For what happens in few runs: the others do not depend on it.
    var rareRandom: RandomSource
    /// For what is staged, in few runs as well.
    var plotRandom: RandomSource
    /// Clients with tasks that wait for each other.
    var flows: Flows
    var questions: Questions
    /// For what is done to queues, in some runs.
    var queueRandom: RandomSource
    /// For their settings to be taken back.
    var queueResets: RandomSource
    var bulkRandom: RandomSource
    /// For their limits by key.
    var keyRandom: RandomSource
    var backfillRandom: RandomSource
    /// Workers outside of the cluster, in some runs.
    var attached: AttachedCrew
    var launchQueues: LaunchQueues
    /// For namespaces and their quotas, in some runs.
    var namespaceRandom: RandomSource
    var archive: Archive
    var retentionWishes: RetentionWishes
    var deletions: Deletions
    var now: Nanoseconds = 0
    var phase = Phase.chaos
    var queue = EventQueue()
    var nodes: [SimulatedNode] = []
    var network: Network
    var invariants: Invariants
    var oracle = Oracle()
    var report = Report()
    var executions: [Execution] = []
    var running: [TaskID: [Int]] = [:]
    var clients: Clients
    var recovery = Recovery()
    var flaw: LastingFlaw?
    var membership: Membership
    var play: FigureEight?
    var heldVote: HeldVote?
    /// It is lost when its moment comes, and only once in a run.
    var isFounderDoomed = false
    /// Virtual time until which a lease trap takes.
    var leaseTrapEnd: Nanoseconds = 0
    /// A third node starts anew when it is sprung.
    var doesTrapRestart = false
    /// Names of the founders, as they stand in the configuration file. Once all of them have lost what they knew of the
    /// cluster, the operator gives them a file that names none of them: by the old one they would found another.
    var founders: [String] {
        let founders = nodes.filter(\.isFounder)
        return founders.allSatisfy(\.hasLostDisk) ? [] : founders.map(\.id.name)
    }
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

    /// A run of a minute has less than a million happenings. Many more mean that it goes round in circles.
    private var maxHappenings: Int {
        20_000_000 + Int(chaosLength / 1_000_000_000) * (100_000 + 1_000 * crowd)
    }

    init(seed: UInt64, chaosLength: Nanoseconds, crowd: Int = 0, log: TextLog) {
        self.seed = seed
        self.chaosLength = chaosLength
        self.crowd = crowd
        self.log = log
        random = RandomSource(seed: seed)
        var scenario = Scenario.draw(&random)
        rareRandom = RandomSource(seed: seed &+ 0xda4a_6ed0_0000_0000)
        scenario.drawRareFaults(&rareRandom)
        plotRandom = RandomSource(seed: seed &+ 0x9107_0000_0000_0000)
        scenario.drawPlots(&plotRandom)
        flows = Flows(random: RandomSource(seed: seed &+ 0xf10a_0000_0000_0000))
        questions = Questions(random: RandomSource(seed: seed &+ 0xcac4_e000_0000_0000))
        queueRandom = RandomSource(seed: seed &+ 0x90e0_e000_0000_0000)
        queueResets = RandomSource(seed: seed &+ 0x4e5e_7000_0000_0000)
        keyRandom = RandomSource(seed: seed &+ 0x4e75_0000_0000_0000)
        backfillRandom = RandomSource(seed: seed &+ 0xbac6_0000_0000_0000)
        retentionWishes = RetentionWishes(
            random: RandomSource(seed: seed &+ 0x4e7e_0000_0000_0000))
        deletions = Deletions(random: RandomSource(seed: seed &+ 0xde1e_0000_0000_0000))
        scenario.drawQueues(&queueRandom)
        bulkRandom = RandomSource(seed: seed &+ 0xb01c_0000_0000_0000)
        scenario.drawBulkJobs(&bulkRandom)
        attached = AttachedCrew(
            random: RandomSource(seed: seed &+ 0xa77a_c4ed_0000_0000),
            strayRandom: RandomSource(seed: seed &+ 0x57a4_0000_0000_0000))
        launchQueues = LaunchQueues(random: RandomSource(seed: seed &+ 0x1a0c_4000_0000_0000))
        namespaceRandom = RandomSource(seed: seed &+ 0x4a3e_0000_0000_0000)
        scenario.drawNamespaces(&namespaceRandom)
        archive = Archive(random: RandomSource(seed: seed &+ 0xa2c4_17e0_0000_0000))
        scenario.drawHistory(&archive)
        if crowd > 0 { scenario.makeRoomForCrowd() }
        self.scenario = scenario
        network = Network(
            count: scenario.machineCount, faults: scenario.network, random: random.fork())
        invariants = Invariants(nodeCount: scenario.machineCount)
        clients = Clients(
            random: random.fork(),
            wishes: DeliveryWishes(random: RandomSource(seed: seed &+ 0xde11_0e70_0000_0000)))
        membership = Membership(wanted: Set(0..<scenario.nodeCount))
        for number in 0..<scenario.machineCount {
            let drift = scenario.node.maxDriftPPM
            var driftPPM =
                scenario.node.isDriftExtreme
                ? random.pick([-drift, drift]) : random.within(-drift...drift)
            if scenario.node.isSlowestToLead { driftPPM = number == 0 ? -drift : drift }
            let clock = ClockModel(
                driftPPM: Int64(driftPPM),
                wallOffset: Milliseconds(
                    random.within(
                        -scenario.node
                            .maxWallOffsetMilliseconds...scenario.node.maxWallOffsetMilliseconds)),
                base: random.within(5_000_000_000...4_000_000_000_000))
            nodes.append(
                SimulatedNode(
                    number: number, clockModel: clock, isFounder: number < scenario.nodeCount,
                    joins: number >= scenario.nodeCount
                        && random.chance(permille: scenario.members.joinsPermille),
                    stateVersion: random.chance(permille: scenario.members.oldPermille)
                        ? 1 : Scheduler.latestStateVersion,
                    segmentBytes: scenario.troubles.segmentBytes, random: random.fork()))
            if nodes[number].joins { membership.wanted.insert(number) }
        }
    }

    func run() throws(Violation) {
        for node in nodes { try start(node) }
        scheduleFirstFaults()
        queue.add(.acts(.clients), at: 1_000_000)
        queue.add(.peace, at: chaosLength)
        if scenario.node.figureEightEvery != nil { queue.add(.playBegins, at: 3_000_000_000) }
        if scenario.members.changeEvery != nil { queue.add(.membersAct, at: 2_000_000_000) }
        if scenario.work.scheduleEvery != nil {
            queue.add(.acts(.schedules), at: 500_000_000)
            queue.add(.acts(.backfills), at: 5_000_000_000)
        }
        if flows.every != nil { queue.add(.acts(.workflows), at: 700_000_000) }
        if questions.every != nil { queue.add(.acts(.caches), at: 700_000_000) }
        attachWorkers()
        if archive.every != nil { queue.add(.acts(.history), at: 800_000_000) }
        if deletions.every != nil { queue.add(.acts(.deletions), at: 1_500_000_000) }
        if crowd > 0 { queue.add(.acts(.crowd), at: 500_000_000) }
        if scenario.work.queueEvery != nil { queue.add(.acts(.queues), at: 700_000_000) }
        if scenario.work.bulkEvery != nil { queue.add(.acts(.bulkJobs), at: 900_000_000) }
        if scenario.work.namespaceEvery != nil {
            queue.add(.acts(.namespaces), at: 800_000_000)
        }
        var happenings = 0
        while phase != .done, let item = queue.takeFirst() {
            happenings += 1
            guard happenings <= maxHappenings else {
                throw Violation("a run ends", "\(happenings) things happened, and no end")
            }
            precondition(item.time >= now)
            now = item.time
            try perform(item.happening)
        }
        guard phase == .done else { throw Violation("the world goes on", "nothing is scheduled") }
        finishReport()
    }

    func after(_ delay: Nanoseconds, _ happening: Happening) {
        queue.add(happening, at: now + delay)
    }

    /// What makes two runs comparable: any difference in what happens, when and to whom, ends up here.
    func mix(_ values: UInt64...) {
        for value in values {
            digest = (digest ^ value) &* 0x0000_0100_0000_01B3
            digest ^= digest >> 29
        }
    }

    func node(_ number: Int, life: Int) -> SimulatedNode? {
        let node = nodes[number]
        return node.life == life && node.isUp ? node : nil
    }

    private func perform(_ happening: Happening) throws(Violation) {
        switch happening {
        case .turn(let number, let life):
            guard let node = node(number, life: life) else { return }
            node.isTurnScheduled = false
            guard !node.isPaused else { return }
            try runTurn(node)
        case .wake(let number, let life, let generation):
            wake(number, life: life, generation)
        case .arrival(let letter): try arrive(letter)
        case .meeting(let one, let life, let other, let otherLife):
            guard let one = node(one, life: life), let other = node(other, life: otherLife) else {
                return
            }
            deliver(.peerConnected(other.id), to: one)
            deliver(.peerConnected(one.id), to: other)
        case .parting(let teller, let life, let gone, let goneLife):
            guard let teller = node(teller, life: life), nodes[gone].life == goneLife else {
                return
            }
            deliver(.peerGone(nodes[gone].id), to: teller)
        case .membersAct: try membersAct()
        case .replacementActs: replacementActs()
        case .input(let number, let life, let input):
            guard let node = node(number, life: life) else { return }
            deliver(input, to: node)
        case .synced(let number, let life):
            guard let node = node(number, life: life) else { return }
            try endSync(node)
        case .snapshotDone(let number, let life):
            guard let node = node(number, life: life) else { return }
            try finishSnapshot(node)
        case .attemptBegins(let execution): try beginExecution(execution)
        case .attemptOver(let execution, let cause): endExecution(execution, cause)
        case .acts(let load): act(load)
        case .attachedStep(let worker, let process, let step):
            perform(step, worker: worker, process: process)
        case .attachedFailed(let question): failed(question)
        case .attachedStray(let question): passStray(question)
        case .clientDeadline(let token): abandon(token)
        case .clientRetries(let token): askAgain(token)
        case .strike(let strike): perform(strike)
        case .crash(let number, let life):
            guard let node = node(number, life: life) else { return }
            try crash(node)
        case .restart(let number, let life):
            guard nodes[number].life == life else { return }
            try restart(nodes[number])
        case .resume(let number, let life):
            guard let node = node(number, life: life) else { return }
            try resume(node)
        case .heal(let partition): heal(partition)
        case .leaseTrap(let number, let life, let impatient, let attempts):
            guard let node = node(number, life: life) else { return }
            try springLeaseTrap(on: node, impatient: impatient, attempts: attempts)
        case .leaseWatch(let number, let life, let end):
            guard let node = node(number, life: life) else { return }
            watchLease(of: node, until: end)
        case .founderLost(let number, let life):
            guard let node = node(number, life: life) else { return }
            try loseFounder(node)
        case .playBegins: beginPlay()
        case .playGoesOn(let begunAt): bringSecondBack(begunAt: begunAt)
        case .playEnds(let begunAt): endPlay(begunAt: begunAt)
        case .peace: try beginPeace()
        case .flawCheck: try checkFlaw()
        case .progressCheck: try checkProgress()
        }
    }

    /// Void if another deadline was set since.
    private func wake(_ number: Int, life: Int, _ generation: Int) {
        guard let node = node(number, life: life), node.wakeGeneration == generation else { return }
        node.wakeAt = .max
        deliver(.tick, to: node)
    }

    private func act(_ load: Happening.Load) {
        switch load {
        case .clients: clientActs()
        case .schedules: scheduleActs()
        case .workflows: workflowsAct()
        case .crowd: crowdActs()
        case .queues: queuesAct()
        case .bulkJobs: bulkJobsAct()
        case .caches: cachesAct()
        case .backfills: backfillsAct()
        case .namespaces: namespacesAct()
        case .history: historyActs()
        case .deletions: deletionsAct()
        }
    }

    private func finishReport() {
        report.seeds = 1
        countDiskFaults()
        report.virtualNanoseconds = Int(now)
        report.elections = invariants.elections
        report.membershipChanges = invariants.configurationsCommitted
        report.registerOperations = oracle.registers.checkedCount
        report.commits = Int(invariants.ledger.lastIndex)
        report.messages = network.sent
        report.faults.add(network.injected)
        report.tasks = oracle.taskIDs.count
        report.firings = oracle.schedules.counts.fired
        report.successors = oracle.workflows.successorsStarted
        report.workflows = oracle.workflows.graphs
        report.passed = oracle.schedules.counts.passed
        report.queueStarts = oracle.queues.checkedStarts
        report.accounted = oracle.schedules.counts.accounted
        report.failovers = max(0, invariants.elections - 1)
        report.backfilled = oracle.backfills.fired
        report.keyStarts = oracle.keys.checkedStarts
        report.breakerOpenings = oracle.queues.openings
        report.told = oracle.deliveries.told
        report.overdue = oracle.deliveries.overdue
        report.bulkJobs = oracle.bulkJobs.checkedJobs
        report.cachedAnswers = oracle.caches.answers
        report.quotaStarts = oracle.namespaces.checkedStarts
        report.quotaSubmits = oracle.namespaces.checkedSubmits
        report.exported = oracle.history.dropped
        report.turnsChecked = oracle.turns.checkedStarts
        report.attachedAgain = oracle.attachments.repeated
        report.onceBeginnings = oracle.beginnings.checked
        report.neverBegun = oracle.beginnings.neverBegun
        report.dropped = oracle.retention.droppedCount
        mix(oracle.reference.digest, UInt64(network.sent), UInt64(executions.count), now)
        report.digest = digest
    }
}
