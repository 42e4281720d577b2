import Raft
import Scheduler
import Testing

@testable import Node

@Suite struct InitialQueueTests {
    private func queue(_ name: String, concurrency: UInt32) -> InitialQueue {
        var spec = QueueSpec()
        spec.concurrency = concurrency
        return InitialQueue(name: name, spec: spec)
    }

    @Test func leaderDeclaresWhatNobodyHasDeclared() throws {
        let cluster = ReplicaCluster()
        let founders = ["n1", "n2", "n3"]
        for name in founders {
            cluster.start(
                name, founders: founders,
                queues: [queue("mail", concurrency: 3), queue("sms", concurrency: 4)])
        }
        cluster.run { cluster["n2"].scheduler.queue("mail")?.spec.concurrency == 3 }
        var spec = QueueSpec()
        spec.concurrency = 9
        let outcome = cluster.run(
            .putQueue(name: "sms", spec, paused: nil, isInitial: false), through: "n1")
        #expect(outcome == .done)
        // The next leader has the same file, and says nothing of queues that were declared.
        let old = try #require(cluster.leader?.id.name)
        cluster.stop(old)
        cluster.run { cluster.leader.map { $0.id.name != old && $0.isReady } ?? false }
        cluster.run(milliseconds: 1_000)
        let leader = try #require(cluster.leader)
        #expect(leader.scheduler.queue("mail")?.spec.concurrency == 3)
        #expect(leader.scheduler.queue("sms")?.spec.concurrency == 9)
    }

    @Test func whatWasSaidOfAQueueAndIsTakenBackLeavesWhatTheFileSays() throws {
        let cluster = ReplicaCluster()
        let founders = ["n1", "n2", "n3"]
        for name in founders {
            cluster.start(name, founders: founders, queues: [queue("mail", concurrency: 3)])
        }
        cluster.run { cluster["n2"].scheduler.queue("mail")?.spec.concurrency == 3 }
        var spec = QueueSpec()
        spec.concurrency = 9
        let put = cluster.run(
            .putQueue(name: "mail", spec, paused: true, isInitial: false), through: "n1")
        #expect(put == .done)
        let reset = cluster.run(.resetQueue(name: "mail"), through: "n3")
        #expect(reset == .done)
        cluster.run { cluster["n2"].scheduler.queue("mail")?.spec.concurrency == 3 }
        #expect(cluster["n2"].scheduler.queue("mail")?.isPaused == false)
    }

    @Test func retentionOfTheLeadersFileHolds() {
        let cluster = ReplicaCluster()
        let founders = ["n1", "n2", "n3"]
        var retention = Retention()
        retention.cancelledMilliseconds = 60_000
        for name in founders { cluster.start(name, founders: founders, retention: retention) }
        cluster.run { cluster["n3"].scheduler.retention == retention }
    }
}
