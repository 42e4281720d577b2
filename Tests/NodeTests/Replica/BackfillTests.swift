import Raft
import Scheduler
import Testing

@testable import Node

@Suite struct BackfillTests {
    @Test func leadersMakeUpForARangeThroughAFailover() throws {
        let cluster = ReplicaCluster()
        let founders = ["n1", "n2", "n3"]
        for name in founders { cluster.start(name, founders: founders) }
        cluster.run(milliseconds: 40_000)
        var task = TaskSpec(handler: "none")
        task.queue = "q"
        let spec = ScheduleSpec(timing: .every(milliseconds: 100), zone: "UTC", task: task)
        _ = cluster.run(
            .putSchedule(name: "s", spec, paused: true, next: 1_000_000), through: "n1")
        let revision = cluster["n1"].scheduler.schedule("s")?.revision ?? 0
        var limit = QueueSpec()
        limit.maxPending = 150
        _ = cluster.run(
            .putQueue(name: "q", limit, paused: nil, isInitial: false), through: "n1")
        let outcome = cluster.run(
            .startBackfill(
                name: "s", revision: revision,
                Backfill(from: 1, to: 35_000, isSequential: false, next: 100)), through: "n2")
        #expect(outcome == .done)
        cluster.run(milliseconds: 2_000)
        let old = try #require(cluster.leader)
        #expect(old.scheduler.schedule("s")?.backfill?.ran == 150)
        cluster.stop(old.id.name)
        cluster.run { cluster.leader.map { $0.id.name != old.id.name && $0.isReady } ?? false }
        let name = try #require(cluster.leader?.id.name)
        _ = cluster.run(
            .putQueue(name: "q", QueueSpec(), paused: nil, isInitial: false), through: name)
        cluster.run { cluster[name].scheduler.schedule("s")?.backfill?.state == .done }
        let backfill = cluster[name].scheduler.schedule("s")?.backfill
        #expect(backfill?.ran == 350 && backfill?.repeated == 0)
        // Nothing is due any more.
        #expect(cluster[name].scheduler.dueBackfills(limit: 9).isEmpty)
    }
}
