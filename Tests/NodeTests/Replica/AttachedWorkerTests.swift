import Raft
import Scheduler
import Testing

@testable import Node

/// Attached workers, whose heartbeats may come to any node.
@Suite struct AttachedWorkerTests {
    private let nodes = ["n1", "n2", "n3"]

    private func founded() -> ReplicaCluster {
        let cluster = ReplicaCluster()
        for name in nodes { cluster.start(name, founders: nodes) }
        cluster.run { cluster.up.allSatisfy { cluster[$0].isReady } }
        return cluster
    }

    private func attach(_ cluster: ReplicaCluster, through name: String) throws -> UInt64 {
        let spec = WorkerSpec(id: "w7", incarnation: 0, slots: 2, handlers: ["x"], tags: [])
        let outcome = cluster.run(.attachWorker(spec), through: name)
        guard case .session(let session) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return 0
        }
        return session
    }

    private func state(_ cluster: ReplicaCluster, on name: String) -> WorkerView.State? {
        cluster[name].scheduler.worker("w7")?.state
    }

    /// Beats through one node after another until the time is over. Every heartbeat has to be heard.
    private func beat(_ cluster: ReplicaCluster, _ session: UInt64, milliseconds: UInt64) {
        let end = cluster.now + milliseconds * 1_000_000
        var place = 0
        while cluster.now < end {
            let name = cluster.up[place % cluster.up.count]
            place += 1
            let token = cluster.beat("w7", session: session, through: name)
            cluster.run { cluster.answer(to: token, of: name) != nil }
            #expect(cluster.answer(to: token, of: name) == .heard)
            cluster.run(milliseconds: 400)
        }
    }

    @Test func `heartbeats through any node keep it alive, and only heartbeats do`() throws {
        let cluster = founded()
        let session = try attach(cluster, through: "n2")
        beat(cluster, session, milliseconds: 10_000)
        #expect(state(cluster, on: "n1") == .live)
        let silentSince = cluster.now
        cluster.run { self.state(cluster, on: "n3") == .lost }
        let timeout = cluster["n1"].settings.workerTimeoutNanoseconds
        #expect(cluster.now >= silentSince + timeout - 400_000_000)
        #expect(cluster.now < silentSince + 2 * timeout)
    }

    @Test func `a lost session's heartbeat is told so`() throws {
        let cluster = founded()
        let session = try attach(cluster, through: "n1")
        cluster.run { self.state(cluster, on: "n2") == .lost }
        let token = cluster.beat("w7", session: session, through: "n2")
        cluster.run { cluster.answer(to: token, of: "n2") != nil }
        #expect(cluster.answer(to: token, of: "n2") == .ended)
    }

    @Test func `a session begun long after the last one was heard is not lost at once`() throws {
        let cluster = founded()
        let first = try attach(cluster, through: "n1")
        beat(cluster, first, milliseconds: 1_000)
        cluster.run { self.state(cluster, on: "n1") == .lost }
        cluster.run(milliseconds: 10_000)
        let second = try attach(cluster, through: "n1")
        cluster.run(milliseconds: 1_500)
        #expect(state(cluster, on: "n1") == .live)
        beat(cluster, second, milliseconds: 1_000)
        #expect(state(cluster, on: "n1") == .live)
    }

    @Test func `a former session's heartbeats keep nobody alive`() throws {
        let cluster = founded()
        let first = try attach(cluster, through: "n1")
        _ = try attach(cluster, through: "n2")
        let begun = cluster.now
        while state(cluster, on: "n1") != .lost, cluster.now < begun + 20_000_000_000 {
            _ = cluster.beat("w7", session: first, through: "n1")
            cluster.run(milliseconds: 100)
        }
        #expect(state(cluster, on: "n1") == .lost)
    }

    @Test func `it outlives the leader it was heard by`() throws {
        let cluster = founded()
        let session = try attach(cluster, through: "n1")
        beat(cluster, session, milliseconds: 500)
        let leader = try #require(cluster.leader?.id.name)
        cluster.stop(leader)
        beat(cluster, session, milliseconds: 6_000)
        #expect(state(cluster, on: cluster.up[0]) == .live)
    }

    @Test func `without a leader nobody says that it was heard`() throws {
        let cluster = founded()
        let session = try attach(cluster, through: "n1")
        let leader = try #require(cluster.leader?.id.name)
        let other = try #require(nodes.first { $0 != leader })
        cluster.cut = [leader]
        cluster.run(milliseconds: 800)
        // It still believes that it leads, or does so no longer: in neither case may it keep the worker going.
        let token = cluster.beat("w7", session: session, through: leader)
        cluster.run(milliseconds: 3_000)
        #expect(cluster.answer(to: token, of: leader) == nil)
        #expect(state(cluster, on: other) == .lost)
    }
}
