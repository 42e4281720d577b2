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

    private func payload(
        _ commands: Command..., origin: String = "", incarnation: UInt64 = 0,
        firstSequence: UInt64 = 0
    ) -> [UInt8] {
        var group = CommandGroup(origin: origin, incarnation: incarnation, acknowledgedBelow: 0)
        for (offset, command) in commands.enumerated() {
            let sequence = firstSequence == 0 ? 0 : firstSequence + UInt64(offset)
            group.append(sequence: sequence, command: command.encoded())
        }
        return EntryPayload(time: 1, groups: [group]).encoded()
    }

    /// From n2, which leads term 1 and knows it to be committed.
    @discardableResult
    private func hear(_ entry: Entry, by replica: inout Replica) -> [ReplicaEffect] {
        let clock = Clock(monotonic: 1, wall: 1)
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
        return effects
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

    /// A newcomer that is taken out again before the cluster has done anything for it. Nothing was done perhaps, but that
    /// is not what the answer says: an earlier copy of the request may have come before somebody else took the name.
    @Test func whoIsNoMemberDoesNotKnowTheOutcome() throws {
        let (former, own) = (
            Incarnation.number(directory: 1, start: 1), Incarnation.number(directory: 2, start: 1)
        )
        var state = Scheduler()
        var events: [Event] = []
        let others = ["n2", "n3"].map { Member(name: $0, directory: 1, peer: "", api: "") }
        try state.apply(
            payload(
                .raiseStateVersion(2), .adoptMembers(others), origin: "n1", incarnation: former,
                firstSequence: 1), index: 1, into: &events)
        let mark = SnapshotMark(
            index: 1, term: 1, configuration: Configuration(voters: ["n1", "n2", "n3"]))
        let clock = Clock(monotonic: 1, wall: 1)
        var settings = ReplicaSettings()
        settings.highestStateVersion = 2
        var replica = Replica(
            id: "n1", incarnation: own, settings: settings,
            worker: WorkerSpec(id: "n1", incarnation: own, slots: 0, handlers: [], tags: []),
            recovered: Recovered(hardState: HardState(term: 1), snapshot: mark, entries: []),
            state: state, planner: .utcOnly, clock: clock, seed: 1)
        hear(Entry(index: 2, term: 1, payload: .noop), by: &replica)
        var effects: [ReplicaEffect] = []
        let request = Command.submit(TaskSpec(handler: "h"))
        replica.step(.request(7, request), clock: clock, into: &effects)
        let entry = payload(
            request, origin: "n1", incarnation: own,
            firstSequence: PendingRequests.firstSequence(at: clock.wall))
        let answer = hear(Entry(index: 3, term: 1, payload: .command(entry)), by: &replica)
            .compactMap { effect in
                switch effect {
                case .completed(7, let outcome): "\(outcome)"
                case .refused(7, let refusal): "\(refusal)"
                default: nil
                }
            }
        #expect(replica.applied == 3)
        #expect(answer == ["outcomeUnknown"])
        #expect(replica.pendingRequestCount == 0)
    }

    /// Another one beside it could be applied long after what was assigned behind the first is lost: whoever has not
    /// read of the loss would be kept going by it.
    @Test func aWorkerAsksAgainOnlyOnceItKnowsWhatBecameOfItsRegistration() throws {
        let clock = Clock(monotonic: 1, wall: 1)
        func spec(_ incarnation: UInt64) -> WorkerSpec {
            WorkerSpec(id: "n1", incarnation: incarnation, slots: 1, handlers: [], tags: [])
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
        hear(Entry(index: 2, term: 1, payload: .noop), by: &replica)
        #expect(replica.applied == 2)
        let pending = replica.pendingRequestCount
        #expect(pending > 0)
        // Something happens to the worker that had its name before.
        let loss = Command.workerLost(id: "n1", incarnation: 1)
        hear(Entry(index: 3, term: 1, payload: .command(payload(loss))), by: &replica)
        #expect(replica.applied == 3)
        #expect(replica.scheduler.worker("n1")?.state == .lost)
        #expect(replica.pendingRequestCount == pending)
    }

    /// A node that runs on an old copy of its directory, which has started as often as the directory itself since then.
    private func copyOfANodeThatRan() throws -> (replica: Replica, former: TaskID) {
        let spec = WorkerSpec(id: "n1", incarnation: 1, slots: 1, handlers: ["h"], tags: [])
        var state = Scheduler()
        var events: [Event] = []
        try state.apply(
            payload(
                .registerWorker(spec), .submit(TaskSpec(handler: "h")), origin: "n1",
                incarnation: 1,
                firstSequence: PendingRequests.firstSequence(at: 1)), index: 1, into: &events)
        let mark = SnapshotMark(
            index: 1, term: 1, configuration: Configuration(voters: ["n1", "n2", "n3"]))
        let replica = Replica(
            id: "n1", incarnation: 1, settings: ReplicaSettings(), worker: spec,
            recovered: Recovered(hardState: HardState(term: 1), snapshot: mark, entries: []),
            state: state, planner: .utcOnly, clock: Clock(monotonic: 1, wall: 2), seed: 1)
        return (replica, TaskID(1))
    }

    private func isFoundOut(_ effects: [ReplicaEffect]) -> Bool {
        effects.contains { effect in
            if case .workerRefused(.staleIncarnation) = effect { true } else { false }
        }
    }

    @Test func anOldCopyThatStartedAsOftenIsFoundOut() throws {
        var (replica, _) = try copyOfANodeThatRan()
        let effects = hear(Entry(index: 2, term: 1, payload: .noop), by: &replica)
        #expect(replica.applied == 2)
        #expect(isFoundOut(effects))
    }

    /// It has asked to be registered before it reads that it was.
    @Test func anOldCopyThatLagsBehindIsFoundOut() throws {
        let spec = WorkerSpec(id: "n1", incarnation: 1, slots: 1, handlers: [], tags: [])
        let mark = SnapshotMark(
            index: 1, term: 1, configuration: Configuration(voters: ["n1", "n2", "n3"]))
        var state = Scheduler()
        state.noteApplied(index: 1)
        var replica = Replica(
            id: "n1", incarnation: 1, settings: ReplicaSettings(), worker: spec,
            recovered: Recovered(hardState: HardState(term: 1), snapshot: mark, entries: []),
            state: state, planner: .utcOnly, clock: Clock(monotonic: 1, wall: 2), seed: 1)
        let quiet = hear(Entry(index: 2, term: 1, payload: .noop), by: &replica)
        #expect(!isFoundOut(quiet))
        #expect(replica.pendingRequestCount > 0)
        let other = payload(
            .registerWorker(spec), origin: "n1", incarnation: 1,
            firstSequence: PendingRequests.firstSequence(at: 1))
        let effects = hear(Entry(index: 3, term: 1, payload: .command(other)), by: &replica)
        #expect(isFoundOut(effects))
    }

    /// Its identity comes again, but not its requests': what the state machine remembers of the others' is no answer.
    @Test func anOldCopysRequestsAreNotTakenForThoseOfTheOther() throws {
        var (replica, former) = try copyOfANodeThatRan()
        var effects: [ReplicaEffect] = []
        let clock = Clock(monotonic: 1, wall: 2)
        for token in 1...5 as ClosedRange<UInt64> {
            let request = Command.submit(TaskSpec(handler: "h"))
            replica.step(.request(token, request), clock: clock, into: &effects)
        }
        effects = hear(Entry(index: 2, term: 1, payload: .noop), by: &replica)
        var groups: [CommandGroup] = []
        for case .send(.forward(let group), _) in effects { groups.append(group) }
        let begin = PendingRequests.firstSequence(at: clock.wall)
        #expect(groups.first?.acknowledgedBelow == begin)
        let entry = EntryPayload(time: 1, groups: groups).encoded()
        let answers = hear(Entry(index: 3, term: 1, payload: .command(entry)), by: &replica)
        var tasks: [TaskID] = []
        for case .completed(_, .task(let task, _)) in answers { tasks.append(task) }
        #expect(tasks.count == 5)
        #expect(!tasks.contains(former))
    }
}
