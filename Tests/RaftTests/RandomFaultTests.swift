import Testing

@testable import Raft

/// Short lives of small clusters under a bad network, bad disks and crashes. The oracle checks every step;
/// afterwards everything is mended and the cluster has to agree and go on.
@Suite struct RandomFaultTests {
    static let seedsPerCase = 20

    @Test(arguments: 0..<12)
    func safetyAndConvergence(block: Int) {
        for offset in 0..<Self.seedsPerCase {
            let seed = UInt64(block * Self.seedsPerCase + offset + 1)
            let life = RandomLife(seed: seed)
            life.runFaults()
            #expect(life.cluster.oracle.faults == [], "seed \(seed)")
            guard life.cluster.oracle.faults.isEmpty else { return }
            #expect(life.converges(), "seed \(seed) does not converge: \(life.summary)")
            #expect(life.cluster.oracle.faults == [], "seed \(seed), after the faults")
        }
    }
}

/// One seed's life.
private final class RandomLife {
    let cluster: Cluster
    private var random: RandomSource
    private var commands = 0
    private var cutLinks: Set<Link> = []
    private let lossPerMille: UInt64
    private let repeatPerMille: UInt64
    private let maxDelay: Nanoseconds
    private let changesMembers: Bool
    private let damagesDisks: Bool

    private struct Link: Hashable {
        let from: NodeID
        let to: NodeID
    }

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        var settings = Settings()
        settings.heartbeatNanoseconds = 20_000_000
        settings.electionNanoseconds = 100_000_000
        settings.maxAppendBytes = 200
        settings.maxInFlightMessages = 4
        settings.maxInFlightBytes = 600
        settings.maxSnapshotChunkBytes = 1000
        settings.retainedLogBytes = 200
        settings.maxRetainedLogBytes = [200, 5000][Int(random.next(below: 2))]
        settings.maxUncommittedBytes = 4000
        let voters: [NodeID] =
            random.next(below: 3) == 0 ? ["n1", "n2", "n3", "n4", "n5"] : ["n1", "n2", "n3"]
        let learners: [NodeID] = random.next(below: 3) == 0 ? ["n9"] : []
        lossPerMille = random.next(below: 4) * 100
        repeatPerMille = random.next(below: 3) * 150
        maxDelay = [1_000, 5_000_000, 60_000_000][Int(random.next(below: 3))]
        let image = Recovered(voters: voters, learners: learners)
        let spares: [NodeID] = ["n6", "n7"]
        cluster = Cluster(
            (voters + learners).map { ($0, image) } + spares.map { ($0, Recovered(voters: [])) },
            settings: settings, seed: seed)
        changesMembers = random.next(below: 2) == 0
        damagesDisks = random.next(below: 2) == 0
        breakThings()
    }

    var summary: String {
        cluster.ids.map { id in
            let raft = cluster[id].raft
            return
                "\(id) \(raft.role) t\(raft.term) commit \(raft.commitIndex) last \(raft.lastIndex) "
                + "applied \(cluster[id].appliedIndex) damaged \(raft.isDamaged) \(raft.configuration)"
        }.joined(separator: ", ")
    }

    private func breakThings() {
        cluster.passes = { [unowned self] message in
            !cutLinks.contains(Link(from: message.from, to: message.to))
        }
        cluster.delays = { [unowned self] _ in
            if chance(lossPerMille) { return [] }
            let copies = chance(repeatPerMille) ? 2 : 1
            return (0..<copies).map { _ in
                // Now and then very late: after elections, after restarts.
                chance(20) ? random.next(below: 1_000_000_000) : random.next(below: maxDelay)
            }
        }
        cluster.diskDelay = { [unowned self] _ in
            chance(20) ? random.next(below: 200_000_000) : random.next(below: 3_000_000)
        }
    }

    private func chance(_ perMille: UInt64) -> Bool { random.next(below: 1000) < perMille }

    private func anyNode() -> NodeID {
        cluster.ids[Int(random.next(below: UInt64(cluster.ids.count)))]
    }

    func runFaults() {
        for _ in 0..<150 {
            guard cluster.oracle.faults.isEmpty else { return }
            act()
            cluster.run(for: random.next(below: 40_000_000))
        }
    }

    private func act() {
        switch random.next(below: 23) {
        case 0..<9: proposeSome()
        case 9..<11: for id in cluster.ids where cluster[id].isUp { cluster.read(on: id) }
        case 12: cluster.crash(anyNodeUp(), syncedBatches: Int(random.next(below: 3)))
        case 13, 14: for id in cluster.ids where chance(600) { cluster.restart(id) }
        case 11, 15: cluster.takeSnapshot(on: cluster.leader ?? anyNode())
        case 16: cutSome()
        case 17: cutLinks.removeAll()
        case 18:
            let target = chance(500) ? anyNode() : nil
            if let leader = cluster.leader {
                cluster.turn(leader, [.transferLeadership(to: target)])
            }
        case 19: if changesMembers { changeMembers() }
        case 20, 21: if damagesDisks { damageOne() }
        default:
            let lost = anyNode()
            for id in cluster.ids where id != lost { cluster.turn(id, [.peerLost(lost)]) }
        }
    }

    /// Any set of one to five.
    private func changeMembers() {
        var voters = cluster.ids.filter { _ in chance(500) }
        if voters.isEmpty { voters = [anyNode()] }
        for leader in cluster.leaders {
            cluster.turn(leader, [.changeMembership(voters: Array(voters.prefix(5)))])
        }
    }

    /// One disk at a time, where the others are a majority, and only what another node still has: nobody brings
    /// back the rest.
    private func damageOne() {
        let isSurvivable = cluster.ids.allSatisfy { id in
            let raft = cluster[id].raft
            return cluster[id].isUp && !raft.isDamaged && raft.configuration.voters.count != 1
                && raft.configuration.voters.count != 2 && raft.configuration.outgoing.isEmpty
        }
        guard isSurvivable else { return }
        let id = anyNode()
        let entries = cluster[id].disk.image.entries.filter { entry in
            cluster.ids.contains { other in
                other != id
                    && (cluster[other].disk.image.snapshot.index >= entry.index
                        || cluster[other].disk.term(at: entry.index) == entry.term)
            }
        }
        let lost = entries.map(\.index).filter { _ in chance(300) }
        cluster.damage(id, entries: lost, losesState: chance(300) && canLoseState(id))
    }

    private func canLoseState(_ id: NodeID) -> Bool {
        cluster.ids.contains { other in
            other != id && cluster[other].appliedIndex >= cluster[id].disk.image.snapshot.index
        }
    }

    private func anyNodeUp() -> NodeID {
        let up = cluster.ids.filter { cluster[$0].isUp }
        return up.isEmpty ? cluster.ids[0] : up[Int(random.next(below: UInt64(up.count)))]
    }

    private func proposeSome() {
        // Every leader takes proposals, deposed ones that don't know it as well.
        for leader in cluster.leaders {
            for _ in 0...random.next(below: 4) where cluster[leader].raft.acceptsProposals {
                commands += 1
                cluster.propose("c\(commands)", on: leader)
            }
        }
    }

    private func cutSome() {
        let node = anyNode()
        let isOneWay = chance(300)
        for other in cluster.ids where other != node && chance(700) {
            cutLinks.insert(Link(from: node, to: other))
            if !isOneWay { cutLinks.insert(Link(from: other, to: node)) }
        }
    }

    /// Mends everything and demands progress.
    func converges() -> Bool {
        cutLinks.removeAll()
        cluster.delays = { _ in [200_000] }
        cluster.diskDelay = { _ in 300_000 }
        for id in cluster.ids { cluster.restart(id) }
        // The latest of the late messages may still depose a leader, and with it lose what it was given.
        cluster.run(for: 1_000_000_000)
        guard
            cluster.run(until: { cluster.leader.map { cluster[$0].raft.acceptsProposals } ?? false }
            ),
            let leader = cluster.leader
        else { return false }
        cluster.propose("last", on: leader)
        return cluster.run {
            guard let leader = cluster.leader else { return false }
            let raft = cluster[leader].raft
            return !raft.isChangingMembership
                && raft.configuration.members.allSatisfy { member in
                    cluster[member].appliedCommands.last == "last"
                        && !cluster[member].raft.isDamaged
                }
        }
    }
}
