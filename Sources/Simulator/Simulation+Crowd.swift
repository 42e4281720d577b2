import Node
import Raft
import Scheduler

/// Many schedules of a second each, put once and left alone: what matters is that every occurrence of them is accounted
/// for, through all that happens to the cluster.
extension Simulation {
    private static let crowdEvery: Nanoseconds = 200_000_000
    private static let crowdStep = 20

    /// Puts those that are not there yet; a few get lost on the way.
    func crowdActs() {
        guard phase == .chaos else { return }
        after(Self.crowdEvery, .acts(.crowd))
        guard let node = anyNode(), let replica = node.replica else { return }
        let time = max(
            replica.clusterTime(at: node.clockModel.clock(at: now)), replica.scheduler.time)
        var count = 0
        for number in 0..<crowd where count < Self.crowdStep {
            let name = "crowd-\(number)"
            guard oracle.reference.schedule(name) == nil else { continue }
            count += 1
            let (spec, timing) = clients.drawCrowdSchedule()
            let command = Command.putSchedule(
                name: name, spec, paused: false, next: timing.next(after: time))
            let token = ask(.change(command), of: node)
            after(2_000_000_000, .clientDeadline(token))
        }
    }
}

extension Scenario {
    /// Work of a few milliseconds, and slots for it: what waits at the end has to get done in time.
    mutating func makeRoomForCrowd() {
        work.runLength = 50_000...20_000_000
        work.endlessPermille = 0
        for number in workers.indices { workers[number].slots = 64 }
        settings.maxFiringsPerAdvance = max(settings.maxFiringsPerAdvance, 100)
        settings.maxEntryBytes = 65_536
        settings.applyBudgetBytes = 262_144
        settings.raft.maxUncommittedBytes = 1 << 20
        // The state is megabytes: written at each kilobyte of log, nothing else would be done.
        settings.snapshotLogBytes = max(settings.snapshotLogBytes, 131_072)
    }
}
