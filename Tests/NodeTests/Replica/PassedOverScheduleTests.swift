import Raft
import Scheduler
import Testing

@testable import Node

/// Leaders that lack the time zones of schedules: those of these tests know UTC alone.
@Suite struct PassedOverScheduleTests {
    private func put(
        _ name: String, _ timing: ScheduleSpec.Timing, zone: String, next: Milliseconds,
        in cluster: ReplicaCluster
    ) {
        let spec = ScheduleSpec(timing: timing, zone: zone, task: TaskSpec(handler: "none"))
        let outcome = cluster.run(
            .putSchedule(name: name, spec, paused: false, next: next), through: "n1")
        guard case .schedule = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }

    private func ran(_ name: String, _ cluster: ReplicaCluster) -> UInt64 {
        cluster["n1"].scheduler.schedule(name)?.ran ?? 0
    }

    @Test func manyOfThemHoldNothingUp() throws {
        let cluster = ReplicaCluster()
        cluster.start("n1", founders: ["n1"])
        cluster.run { cluster["n1"].isReady }
        let now = cluster["n1"].scheduler.time
        for number in 0..<300 {
            put(
                "lost\(number)", .cron("0 9 * * *"), zone: "Mars/Olympus", next: now + 1,
                in: cluster)
        }
        let start = cluster["n1"].scheduler.time
        put("tick", .every(milliseconds: 1_000), zone: "UTC", next: start + 1_000, in: cluster)
        let before = cluster["n1"].applied
        cluster.run(milliseconds: 20_500)
        #expect((19...21).contains(ran("tick", cluster)))
        #expect(cluster["n1"].passedOverScheduleCount == 300)
        #expect(cluster.passedOver.count == 300, "each is told of once")
        // An entry for each firing, and no advance that does nothing.
        #expect(cluster["n1"].applied - before < 30)
        #expect(ran("lost7", cluster) == 0)
        // It is due as it was, for a leader that can.
        #expect(cluster["n1"].scheduler.schedule("lost7")?.next == now + 1)
        // Put anew with a zone that is known, it fires.
        let next = cluster["n1"].scheduler.time + 1_000
        put("lost7", .every(milliseconds: 1_000), zone: "UTC", next: next, in: cluster)
        cluster.run { self.ran("lost7", cluster) > 2 }
        // They are tried again, and not told of again.
        cluster.run(milliseconds: 70_000)
        #expect(cluster["n1"].passedOverScheduleCount == 299)
        #expect(cluster.passedOver.count == 300)
    }

    @Test func neitherDoTheirBackfills() throws {
        let cluster = ReplicaCluster()
        cluster.start("n1", founders: ["n1"])
        cluster.run(milliseconds: 40_000)
        for (name, zone) in [("a", "Mars/Olympus"), ("b", "Mars/Olympus"), ("c", "UTC")] {
            put(name, .cron("* * * * * *"), zone: zone, next: 1_000_000_000, in: cluster)
            let revision = cluster["n1"].scheduler.schedule(name)?.revision ?? 0
            let outcome = cluster.run(
                .startBackfill(
                    name: name, revision: revision,
                    Backfill(from: 1, to: 30_000, isSequential: false, next: 1_000)),
                through: "n1")
            #expect(outcome == .done)
        }
        cluster.run { cluster["n1"].scheduler.schedule("c")?.backfill?.state == .done }
        let before = cluster["n1"].applied
        cluster.run(milliseconds: 5_000)
        #expect(cluster["n1"].applied - before < 3)
        #expect(cluster.passedOver.sorted() == ["a", "b"])
    }
}
