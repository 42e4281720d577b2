import Raft
import Scheduler
import Testing

@testable import Node

@Suite struct ReplicaRequestTests {
    private func replica(maxPendingRequests: Int) -> Replica {
        var settings = ReplicaSettings()
        settings.maxPendingRequests = maxPendingRequests
        let mark = SnapshotMark(
            index: 0, term: 0, configuration: Configuration(voters: ["n1", "n2", "n3"]))
        return Replica(
            id: "n1", incarnation: 1, settings: settings,
            worker: WorkerSpec(id: "n1", incarnation: 1, slots: 0, handlers: [], tags: []),
            recovered: Recovered(hardState: HardState(), snapshot: mark, entries: []),
            state: Scheduler(), planner: .utcOnly, clock: Clock(monotonic: 1, wall: 1), seed: 1)
    }

    @Test func refusesWhatIsTooMuchButNeverTheEndOfAnAttempt() {
        let clock = Clock(monotonic: 1, wall: 1)
        var replica = replica(maxPendingRequests: 1)
        var effects: [ReplicaEffect] = []
        replica.step(.request(1, .cancel(TaskID(1))), clock: clock, into: &effects)
        #expect(effects.isEmpty)
        replica.step(.request(2, .cancel(TaskID(2))), clock: clock, into: &effects)
        guard case .refused(2, .overloaded)? = effects.first, effects.count == 1 else {
            Issue.record("the second request is refused, and not \(effects)")
            return
        }
        let finish = Finish(
            task: TaskID(3), attempt: 1, fence: 1, result: .succeeded(Array("null".utf8)))
        replica.step(.request(3, .finish(finish)), clock: clock, into: &effects)
        #expect(effects.count == 1)
        #expect(replica.pendingRequestCount == 2)
    }

    @Test func withdrawsARequestThatNoLeaderWasAskedFor() {
        let clock = Clock(monotonic: 1, wall: 1)
        var replica = replica(maxPendingRequests: 10)
        var effects: [ReplicaEffect] = []
        replica.step(.request(1, .cancel(TaskID(1))), clock: clock, into: &effects)
        replica.finishTurn(clock: clock, into: &effects)
        effects.removeAll()
        replica.step(.abandonRequest(1), clock: clock, into: &effects)
        guard case .refused(1, .noLeader)? = effects.first else {
            Issue.record("refused for want of a leader, and not \(effects)")
            return
        }
        #expect(replica.pendingRequestCount == 0)
    }
}
