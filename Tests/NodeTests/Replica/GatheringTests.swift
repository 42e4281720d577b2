import Raft
import Scheduler
import Testing

@testable import Node

/// When a leader makes an entry of what has come in.
@Suite struct GatheringTests {
    /// A leader that has just sent an entry.
    private struct Waiting {
        let cluster = ReplicaCluster.founded(["a", "b", "c"])
        let leader: String
        private let index: Index

        init() throws {
            leader = try #require(cluster.leader).id.name
            let before = cluster[leader].raft.lastIndex
            cluster.step(leader, .request(1, .submit(TaskSpec(handler: "h"))))
            cluster.endTurn(of: leader)
            index = cluster[leader].raft.lastIndex
            #expect(index == before + 1)
        }

        /// Those that came after it.
        var entries: UInt64 { cluster[leader].raft.lastIndex - index }

        func submit(payloadBytes: Int = 0) {
            var spec = TaskSpec(handler: "h")
            spec.payload = [UInt8](repeating: 0x31, count: payloadBytes)
            cluster.step(leader, .request(2, .submit(spec)))
            cluster.endTurn(of: leader)
        }
    }

    @Test func requestsWaitForEachOtherUntilTheEntryIsCommitted() throws {
        let waiting = try Waiting()
        for _ in 0..<10 { waiting.submit() }
        #expect(waiting.entries == 0)
        // There, to the disk, and back: less than the time that they wait for at most.
        for _ in 0..<3 {
            #expect(waiting.entries == 0)
            waiting.cluster.turn(nanoseconds: 500_000)
        }
        #expect(waiting.entries == 1)
    }

    @Test func theyDoNotWaitForLong() throws {
        let waiting = try Waiting()
        waiting.cluster.cut = [waiting.leader]
        waiting.submit()
        waiting.cluster.turn(nanoseconds: 1_900_000)
        #expect(waiting.entries == 0)
        let deadline = waiting.cluster[waiting.leader].nextDeadline(now: waiting.cluster.now)
        #expect(deadline <= waiting.cluster.now + 100_000)
        waiting.cluster.turn(nanoseconds: 100_000)
        #expect(waiting.entries == 1)
    }

    @Test func aLargeRequestDoesNotWait() throws {
        let waiting = try Waiting()
        waiting.submit(payloadBytes: 65_536)
        #expect(waiting.entries == 1)
    }
}
