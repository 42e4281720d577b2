import Node
import Raft
import Scheduler

/// Disks on which something is no longer what was synced. The node finds out when it starts, or when it reads a
/// snapshot for a peer; it goes on with what it has and fetches the rest, or refuses, and is replaced.
extension Simulation {
    private static let replacementEvery: Nanoseconds = 1_500_000_000

    /// nil: nothing may be damaged now.
    private var atlas: FaultAtlas? {
        guard invariants.areConfigurationsCommitted(on: voters.map(\.number)),
            let (_, configuration) = invariants.committedConfiguration
        else { return nil }
        let last = invariants.ledger.lastIndex
        let term = invariants.ledger[last].entry.term
        let whole = nodes.filter(\.isWhole)
        return FaultAtlas(
            configuration: configuration,
            staying: voters.filter { membership.wanted.contains($0.number) }.map(\.id),
            whole: Set(whole.map(\.id)),
            complete: Set(whole.filter { $0.disk.synced.holds(last, term) }.map(\.id)))
    }

    /// Its disk may be damaged, or lost.
    func maySuffer(_ node: SimulatedNode) -> Bool { atlas?.mayLose(node.id) ?? false }

    /// Nobody's promises depend on what a disk has lost.
    var isEveryDiskWhole: Bool { nodes.allSatisfy(\.isWhole) }

    /// While it was down, the disk of a node may have changed.
    func damagePerhaps(_ node: SimulatedNode) {
        guard phase == .chaos, scenario.troubles.damagePermille > 0,
            rareRandom.chance(permille: scenario.troubles.damagePermille),
            maySuffer(node)
        else { return }
        damage(node)
    }

    /// A snapshot of a running node rots. It is found when a peer needs it; at the latest when the process, which is
    /// not left to go on for long, starts again.
    func damageSnapshot() {
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty else { return }
        let node = rareRandom.pick(up)
        guard maySuffer(node), damage(node) else { return }
        after(
            rareRandom.within(1_000_000...8_000_000_000),
            .crash(node: node.number, life: node.life))
    }

    @discardableResult
    private func damage(_ node: SimulatedNode) -> Bool {
        guard let place = node.disk.damage(rareRandom.pick(scenario.troubles.damages)) else {
            return false
        }
        log.write(now, .disk, "the disk of \(node.id) has \(place)")
        return true
    }

    /// What a node that has just started says about its disk.
    func noteDamage(_ node: SimulatedNode) {
        let disk = node.disk.synced
        guard !disk.isWhole else { return }
        report.damagesFound += 1
        let state = disk.isStateLost ? "the state at \(disk.mark.index)" : nil
        let entries =
            disk.lost.isEmpty ? nil : "entries \(disk.lost.map { "\($0)" }.joined(separator: ", "))"
        let lost = [state, entries].compactMap { $0 }.joined(separator: " and ")
        log.write(now, .disk, "\(node.id) has lost \(lost)")
    }

    /// The node says that it can't go on: its operator gives it an empty disk and has it taken in as a new member.
    func replaceDisk(of node: SimulatedNode, because error: StorageError) {
        report.disksRefused += 1
        let former = node.id
        node.failToStart(losesPower: false)
        node.loseDisk()
        invariants.nodeLostDisk(node.number)
        log.write(now, .disk, "\(former) refuses its disk and is \(node.id) now: \(error)")
        after(
            random.latency(scenario.node.downFor), .restart(node: node.number, life: node.life))
        after(Self.replacementEvery, .replacementActs)
    }

    func replacementActs() {
        guard phase == .chaos, !isMembershipSettled else { return }
        bringMembersNearer(isProbe: false)
        after(Self.replacementEvery, .replacementActs)
    }
}
