import Node
import Raft
import Scheduler

/// One thing that stays broken after all other faults are over, mostly on the leader. A majority has to get its work
/// done in spite of it, and nobody may depose the leader again and again.
struct LastingFlaw {
    enum Kind: CaseIterable {
        /// Hears nobody; others hear it.
        case deaf
        /// Hears everybody; nobody hears it.
        case mute
        /// Two nodes do not see each other; the others see both.
        case brokenLink
        /// Writes nothing any more.
        case stuckDisk
    }

    let kind: Kind
    /// Numbers of the voters when it began.
    let members: [Int]
    let victim: Int
    let begunAt: Nanoseconds
    var partition: Int?
    /// Every node's term, and what was asked of the nodes, once the cluster has settled.
    var terms: [Term?] = []
    var tokens: [Token] = []
}

extension Simulation {
    /// Former leaders are deposed, and terms that ran ahead are caught up with, in this time.
    private static let settleNanoseconds: Nanoseconds = 20_000_000_000
    /// Snapshots in tiny pieces take long.
    private static let maxSettleNanoseconds: Nanoseconds = 240_000_000_000
    private static let watchNanoseconds: Nanoseconds = 10_000_000_000

    /// The end of all faults; in some runs of all but one, at first.
    func beginPeace() throws(Violation) {
        guard isSteadyByItself, isMembershipSettled, isEveryDiskWhole, voters.count > 2,
            scenario.node.minority == nil,
            random.chance(permille: 700)
        else { return try endChaos() }
        phase = .recovery
        network.healEverything()
        for node in nodes {
            node.effectsUntilCrash = nil
            node.disk.disk.heal()
            try resume(node)
            if !node.isUp { try start(node) }
        }
        connectPeers()
        let members = voters
        let leader = members.first { $0.replica?.raft.role == .leader }
        let victim = random.chance(permille: 600) ? leader ?? members[0] : random.pick(members)
        let kind = random.pick(LastingFlaw.Kind.allCases)
        flaw = LastingFlaw(
            kind: kind, members: members.map(\.number), victim: victim.number, begunAt: now)
        let links = cutLinks(kind, victim.number)
        if !links.isEmpty { flaw?.partition = network.cut(links) }
        if kind == .stuckDisk {
            victim.isDiskStuck = true
            fillUp()
        }
        report.faults[.lastingFlaw] += 1
        log.write(now, .phase, "all heals but \(victim.id): \(kind)")
        after(Self.settleNanoseconds, .flawCheck)
    }

    /// Where turns take about as long as an election timeout, leaders are deposed without any fault.
    private var isSteadyByItself: Bool {
        let settings = scenario.settings.raft
        return settings.electionNanoseconds
            >= 3 * settings.heartbeatNanoseconds + 4 * scenario.node.turnDelay.upperBound
    }

    private func cutLinks(_ kind: LastingFlaw.Kind, _ victim: Int) -> [(from: Int, to: Int)] {
        let others = nodes.indices.filter { $0 != victim }
        let members = voters.map(\.number).filter { $0 != victim }
        switch kind {
        case .deaf: return others.map { ($0, victim) }
        case .mute: return others.map { (victim, $0) }
        case .brokenLink:
            let other = random.pick(members)
            return [(victim, other), (other, victim)]
        case .stuckDisk: return []
        }
    }

    /// A leader can do without its disk as long as others write, until too much waits for it, or something waits for too
    /// long: so there has to be something, or it notices only when the others are asked for progress.
    private func fillUp() {
        let maxBytes = scenario.settings.raft.maxUncommittedBytes
        let bytes = maxBytes <= 64 << 10 ? maxBytes : 1
        for node in voters {
            var spec = TaskSpec(handler: "echo")
            spec.payload = Oracle.uniqueMark + Array("\"much of \(node.id)".utf8)
            spec.payload += Array(repeating: UInt8(ascii: "x"), count: bytes) + Array("\"}".utf8)
            ask(.submit(spec), of: node)
        }
    }

    func checkFlaw() throws(Violation) {
        guard let current = flaw else { preconditionFailure("no flaw to watch") }
        guard current.tokens.isEmpty else { return try endFlaw(current) }
        guard isMajorityCaughtUp(current) || now - current.begunAt > Self.maxSettleNanoseconds
        else {
            after(Self.watchNanoseconds, .flawCheck)
            return
        }
        flaw?.terms = current.members.map { nodes[$0].replica?.raft.term }
        for node in current.members.map({ nodes[$0] }) {
            var spec = TaskSpec(handler: "echo")
            spec.payload = Oracle.uniqueMark + Array("\"in spite of a flaw \(node.id)\"}".utf8)
            flaw?.tokens.append(ask(.submit(spec), of: node))
        }
        after(Self.watchNanoseconds, .flawCheck)
    }

    /// With the log of the newest leader, so that it does not take long to commit what is asked for now.
    private func isMajorityCaughtUp(_ current: LastingFlaw) -> Bool {
        let replicas = current.members.compactMap { nodes[$0].replica }
        let leaders = replicas.filter { $0.raft.role == .leader }
        guard let newest = leaders.max(by: { $0.raft.term < $1.raft.term }) else { return false }
        let close = replicas.count { $0.applied + 50 >= newest.raft.lastIndex }
        return close * 2 > current.members.count
    }

    private func endFlaw(_ ended: LastingFlaw) throws(Violation) {
        describeNodes()
        let answers = ended.tokens.count { clients[$0].status == .answered }
        guard answers * 2 > ended.members.count else {
            throw Violation(
                "a majority that sees each other makes progress",
                """
                \(answers) of \(ended.members.count) nodes answer: \(ended.kind), n\(ended.victim + 1): \
                \(ended.tokens.map { "n\(clients[$0].node + 1) \(clients[$0].status)" })
                """
            )
        }
        let terms = ended.members.map { nodes[$0].replica?.raft.term }
        guard terms == ended.terms else {
            throw Violation(
                "terms come to rest",
                "from \(ended.terms) to \(terms): \(ended.kind), n\(ended.victim + 1)")
        }
        if let partition = ended.partition { network.heal(partition) }
        nodes[ended.victim].isDiskStuck = false
        try beginSync(nodes[ended.victim])
        flaw = nil
        try endChaos()
    }
}
