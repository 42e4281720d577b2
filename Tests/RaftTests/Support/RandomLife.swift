@testable import Raft

/// One seed's life of a small cluster.
final class RandomLife {
    let cluster: Cluster
    private var random: RandomSource
    private var commands = 0
    private var cutLinks: Set<Link> = []
    private let lossPerMille: UInt64
    private let repeatPerMille: UInt64
    private let maxDelay: Nanoseconds
    private let changesMembers: Bool
    private let damagesDisks: Bool
    private let isBusy: Bool
    /// Those who found the cluster; empty: it is there already.
    private let founders: [NodeID]
    /// The first founder as it is after the loss of its disk: it knows of no cluster, and would found one.
    private static let impostor = NodeID("n1", directory: 2)
    private static let maxClockDriftPPM: Int64 = 100_000

    private struct Link: Hashable {
        let from: NodeID
        let to: NodeID
    }

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        let settings = Self.drawSettings(&random)
        let voters: [NodeID] =
            random.next(below: 3) == 0 ? ["n1", "n2", "n3", "n4", "n5"] : ["n1", "n2", "n3"]
        let founds = random.next(below: 4) == 0
        founders = founds ? voters : []
        let hasLearner = random.next(below: 3) == 0
        let learners: [NodeID] = hasLearner && !founds ? ["n9"] : []
        lossPerMille = random.next(below: 4) * 100
        repeatPerMille = random.next(below: 3) * 150
        maxDelay = [1_000, 5_000_000, 60_000_000][Int(random.next(below: 3))]
        let fresh = Recovered(voters: [])
        let image = founds ? fresh : Recovered(voters: voters, learners: learners)
        let spares: [NodeID] = ["n6", "n7"] + (founds ? [Self.impostor] : [])
        cluster = Cluster(
            (voters + learners).map { ($0, image) } + spares.map { ($0, fresh) },
            settings: settings, seed: seed)
        changesMembers = random.next(below: 2) == 0
        damagesDisks = random.next(below: 2) == 0
        isBusy = random.next(below: 2) == 0
        setClocks()
        breakThings()
    }

    private static func drawSettings(_ random: inout RandomSource) -> Settings {
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
        settings.leaseReads = random.next(below: 2) == 0
        settings.maxClockDriftPPM = UInt64(maxClockDriftPPM)
        return settings
    }

    /// As fast and as slow as a lease allows for, mostly.
    private func setClocks() {
        for id in cluster.ids {
            let bound = Self.maxClockDriftPPM
            let between = Int64(random.next(below: UInt64(2 * bound))) - bound
            cluster[id].driftPPM = [-bound, bound, between][Int(random.next(below: 3))]
        }
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
        cluster.delays = { [unowned self] message in
            if chance(lossPerMille) { return [] }
            // The leader may have given up, and gone on, long before the successor is told.
            if case .timeoutNow = message.body, chance(300) {
                return [random.next(below: 400_000_000)]
            }
            let copies = chance(repeatPerMille) ? 2 : 1
            return (0..<copies).map { _ in
                // Now and then very late: after elections, after restarts.
                chance(20) ? random.next(below: 1_000_000_000) : random.next(below: maxDelay)
            }
        }
        cluster.diskDelay = { [unowned self] _ in
            chance(20) ? random.next(below: 200_000_000) : random.next(below: 3_000_000)
        }
        guard isBusy else { return }
        cluster.turnDelay = { [unowned self] _ in
            chance(20) ? random.next(below: 50_000_000) : random.next(below: 5_000_000)
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
            foundSometimes()
            pass(random.next(below: 40_000_000))
        }
    }

    /// Time goes by. Leaders that don't know that they are deposed are asked all the while: no other moment shows a
    /// stale read.
    private func pass(_ duration: Nanoseconds) {
        let end = cluster.now + duration
        while cluster.now < end, cluster.oracle.faults.isEmpty {
            cluster.run(until: min(end, cluster.now + 2_000_000))
            let newest = cluster.leader
            for leader in cluster.leaders where leader != newest { cluster.read(on: leader) }
        }
    }

    private func foundSometimes() {
        guard let founder = founders.first else { return }
        if chance(300) { cluster.deliver(.found(founders), to: founder) }
        if chance(100) {
            cluster.deliver(.found([Self.impostor] + founders.dropFirst()), to: Self.impostor)
        }
    }

    private func act() {
        switch random.next(below: 27) {
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
                cluster.deliver(.transferLeadership(to: target), to: leader)
            }
        case 19: if changesMembers { changeMembers() }
        case 20, 21: if damagesDisks { damageOne() }
        case 22, 23: cutLeader()
        case 24, 25:
            // Back before anybody's patience ends.
            let id = anyNodeUp()
            cluster.crash(id, syncedBatches: Int(random.next(below: 3)))
            cluster.restart(id)
        default:
            let lost = anyNode()
            for id in cluster.ids where id != lost { cluster.deliver(.peerLost(lost), to: id) }
        }
    }

    /// Any set of one to five.
    private func changeMembers() {
        var voters = cluster.ids.filter { _ in chance(500) }
        if voters.isEmpty { voters = [anyNode()] }
        for leader in cluster.leaders {
            cluster.deliver(.changeMembership(voters: Array(voters.prefix(5))), to: leader)
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

    /// Each try carries the founder's term to all; one of the next finds it equal everywhere.
    private func foundAtLast() {
        guard let founder = founders.first else { return }
        for _ in 0..<10 where cluster.ids.allSatisfy({ !isFounded($0) }) {
            cluster.deliver(.found(founders), to: founder)
            cluster.run(for: 3 * cluster.settings.electionNanoseconds)
        }
    }

    private func isFounded(_ id: NodeID) -> Bool { cluster[id].raft.configuration.isFounded }

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

    /// From everybody, in one direction or both.
    private func cutLeader() {
        guard let leader = cluster.leader else { return }
        let direction = random.next(below: 3)
        for other in cluster.ids where other != leader {
            if direction != 0 { cutLinks.insert(Link(from: leader, to: other)) }
            if direction != 1 { cutLinks.insert(Link(from: other, to: leader)) }
        }
    }

    /// Mends everything and demands progress.
    func converges() -> Bool {
        cutLinks.removeAll()
        cluster.turnDelay = { _ in 0 }
        cluster.delays = { _ in [200_000] }
        cluster.diskDelay = { _ in 300_000 }
        for id in cluster.ids { cluster.restart(id) }
        foundAtLast()
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
