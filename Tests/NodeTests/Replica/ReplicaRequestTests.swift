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
    /// Another one beside it could be applied long after what was assigned behind the first is lost: whoever has not
    /// read of the loss would be kept going by it.
    @Test func aWorkerAsksAgainOnlyOnceItKnowsWhatBecameOfItsRegistration() throws {
        let clock = Clock(monotonic: 1, wall: 1)
        func spec(_ incarnation: UInt64) -> WorkerSpec {
            WorkerSpec(id: "n1", incarnation: incarnation, slots: 1, handlers: [], tags: [])
        }
        func payload(_ commands: Command...) -> [UInt8] {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            for command in commands { group.append(sequence: 0, command: command.encoded()) }
            return EntryPayload(time: 1, groups: [group]).encoded()
        }
        var state = Scheduler()
        var events: [Event] = []
        try state.apply(payload(.registerWorker(spec(1))), index: 1, into: &events)
        let mark = SnapshotMark(
            index: 1, term: 1, configuration: Configuration(voters: ["n1", "n2", "n3"]))
        var replica = Replica(
            id: "n1", incarnation: 2, settings: ReplicaSettings(), worker: spec(2),
            recovered: Recovered(hardState: HardState(term: 1), snapshot: mark, entries: []),
            state: state, planner: .utcOnly, clock: clock, seed: 1)
        func hear(_ entry: Entry) {
            let append = Message.Append(
                previousIndex: entry.index - 1, previousTerm: 1, commit: entry.index,
                entries: [entry], round: entry.index)
            let message = Message(from: "n2", to: "n1", term: 1, body: .append(append))
            var effects: [ReplicaEffect] = []
            replica.step(.peer(from: "n2", .raft(message)), clock: clock, into: &effects)
            replica.finishTurn(clock: clock, into: &effects)
            for case .persist(let batch) in effects {
                replica.step(.durable(batch.ticket), clock: clock, into: &effects)
            }
            replica.finishTurn(clock: clock, into: &effects)
        }
        hear(Entry(index: 2, term: 1, payload: .noop))
        #expect(replica.applied == 2)
        let pending = replica.pendingRequestCount
        #expect(pending > 0)
        // Something happens to the worker that had its name before.
        let loss = Command.workerLost(id: "n1", incarnation: 1)
        hear(Entry(index: 3, term: 1, payload: .command(payload(loss))))
        #expect(replica.applied == 3)
        #expect(replica.scheduler.worker("n1")?.state == .lost)
        #expect(replica.pendingRequestCount == pending)
    }
}
