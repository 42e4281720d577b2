import Raft
import Scheduler
import Testing

@testable import Node

/// Replicas that talk to each other in virtual time, on disks that are done at once: for what a node does as a member.
/// The simulator looks for what goes wrong when messages, disks and clocks misbehave.
final class ReplicaCluster {
    private final class Machine {
        let id: NodeID
        var replica: Replica
        var effects: [ReplicaEffect] = []
        var outcomes: [Token: Outcome] = [:]
        var beatAnswers: [Token: BeatAnswer] = [:]
        var isUp = true

        init(id: NodeID, replica: Replica) {
            self.id = id
            self.replica = replica
        }
    }

    private var machines: [String: Machine] = [:]
    private var mail: [(from: NodeID, to: NodeID, message: PeerMessage)] = []
    /// Nodes whose worker was refused.
    private(set) var refused: [NodeID] = []
    /// Schedules that a leader could not compute the times of, as often as it said so.
    private(set) var passedOver: [String] = []
    private(set) var now: Nanoseconds = 1_000_000_000
    /// Names whose mail is lost, in both directions.
    var cut: Set<String> = []
    /// Snapshots are written when `finishSnapshot` is called, not at once.
    var areSnapshotsSlow = false
    private(set) var snapshotsBegun = 0
    private var slowSnapshot: (name: String, mark: SnapshotMark)?
    private var lastToken: Token = 0
    private var starts: [NodeID: UInt64] = [:]

    var clock: Clock { Clock(monotonic: now, wall: Milliseconds(now / 1_000_000)) }

    /// A cluster with a leader, of members that are ready.
    static func founded(_ names: [String]) -> ReplicaCluster {
        let cluster = ReplicaCluster()
        for name in names { cluster.start(name, founders: names) }
        cluster.run {
            names.allSatisfy { cluster[$0].standing == .member && cluster[$0].isReady }
        }
        cluster.run(milliseconds: 1_000)
        return cluster
    }

    /// Starts a node with an empty directory, or one with a restored state, and connects it with all that run.
    func start(
        _ name: String, directory: UInt64 = 1, founders: [String] = [], joins: Bool = false,
        highestStateVersion: UInt32 = 2, restoredAt: Index = 0, queues: [InitialQueue] = [],
        retention: Retention = Retention(), snapshotLogBytes: Int? = nil
    ) {
        let id = NodeID(name, directory: directory)
        var settings = ReplicaSettings()
        settings.founders = founders
        settings.initialQueues = queues
        settings.retention = retention
        settings.joins = joins
        if let snapshotLogBytes { settings.snapshotLogBytes = snapshotLogBytes }
        settings.peerAddress = "\(name):7101"
        settings.apiAddress = "\(name):7201"
        settings.highestStateVersion = highestStateVersion
        starts[id, default: 0] += 1
        let incarnation = Incarnation.number(directory: directory, start: starts[id] ?? 1)
        let mark = SnapshotMark(
            index: restoredAt, term: restoredAt, configuration: Configuration(voters: []))
        var state = Scheduler()
        if restoredAt > 0 { state.noteApplied(index: restoredAt) }
        let replica = Replica(
            id: id, incarnation: incarnation, settings: settings,
            worker: WorkerSpec(
                id: name, incarnation: incarnation, slots: 1, handlers: ["h"], tags: []),
            recovered: Recovered(
                hardState: HardState(term: mark.term), snapshot: mark, entries: []),
            state: state, planner: .utcOnly, clock: clock,
            seed: name.utf8.reduce(directory) { $0 &* 31 &+ UInt64($1) })
        machines[name] = Machine(id: id, replica: replica)
        for other in machines.values where other.isUp && other.id.name != name {
            step(name, .peerConnected(other.id))
            step(other.id.name, .peerConnected(id))
        }
    }

    func finishSnapshot(bytes: Int = 0) {
        guard let (name, mark) = slowSnapshot else { preconditionFailure("none was begun") }
        slowSnapshot = nil
        step(name, .snapshotWritten(mark, bytes: bytes))
    }

    func stop(_ name: String) {
        guard let id = machines[name]?.id else { return }
        machines[name]?.isUp = false
        for other in up where other != name { step(other, .peerGone(id)) }
    }

    var up: [String] { machines.values.filter(\.isUp).map(\.id.name).sorted() }

    subscript(_ name: String) -> Replica {
        guard let machine = machines[name] else { preconditionFailure("no node \(name)") }
        return machine.replica
    }

    var leader: Replica? {
        machines.values.filter { $0.isUp && $0.replica.raft.role == .leader }
            .max { $0.replica.raft.term < $1.replica.raft.term }?.replica
    }

    func step(_ name: String, _ input: ReplicaInput) {
        guard let machine = machines[name] else { return }
        machine.replica.step(input, clock: clock, into: &machine.effects)
    }

    /// Sends a command through a node and waits for its outcome.
    func run(_ command: Command, through name: String) -> Outcome? {
        lastToken += 1
        let token = lastToken
        step(name, .request(token, command))
        run { self.machines[name]?.outcomes[token] != nil }
        return machines[name]?.outcomes[token]
    }

    /// An attached worker's heartbeat comes to this node.
    func beat(_ worker: String, session: UInt64, through name: String) -> Token {
        lastToken += 1
        step(name, .workerBeat(lastToken, worker: worker, session: session))
        return lastToken
    }

    /// What this node answered to a heartbeat, if it has.
    func answer(to beat: Token, of name: String) -> BeatAnswer? {
        machines[name]?.beatAnswers[beat]
    }

    /// Lets time pass until the condition holds; records an issue after a virtual minute.
    func run(until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
        let end = now + 60_000_000_000
        while !condition() {
            guard now < end else {
                Issue.record("it did not come about", sourceLocation: location)
                return
            }
            turn()
        }
    }

    func run(milliseconds: UInt64) {
        let end = now + milliseconds * 1_000_000
        while now < end { turn() }
    }

    /// Some time passes, in which every message arrives and every node has its turn.
    func turn(nanoseconds: Nanoseconds = 5_000_000) {
        now += nanoseconds
        let arriving = mail
        mail = []
        for (from, to, message) in arriving where machines[to.name]?.isUp == true {
            guard machines[to.name]?.id == to, !cut.contains(from.name), !cut.contains(to.name)
            else { continue }
            step(to.name, .peer(from: from, message))
        }
        for name in up {
            if self[name].nextDeadline(now: now) <= now { step(name, .tick) }
            endTurn(of: name)
        }
    }

    func endTurn(of name: String) {
        guard let machine = machines[name] else { return }
        machine.replica.finishTurn(clock: clock, into: &machine.effects)
        perform(machine)
    }

    private func perform(_ machine: Machine) {
        let effects = machine.effects
        machine.effects = []
        for effect in effects {
            switch effect {
            case .send(let message, let target): mail.append((machine.id, target, message))
            case .persist(let batch): step(machine.id.name, .durable(batch.ticket))
            case .writeSnapshot(let mark, _):
                snapshotsBegun += 1
                if areSnapshotsSlow {
                    slowSnapshot = (machine.id.name, mark)
                } else {
                    step(machine.id.name, .snapshotWritten(mark, bytes: 0))
                }
            case .completed(let token, let outcome): machine.outcomes[token] = outcome
            case .beatAnswered(let token, let answer): machine.beatAnswers[token] = answer
            case .workerRefused: refused.append(machine.id)
            case .schedulePassedOver(let name, _): passedOver.append(name)
            default: break
            }
        }
    }
}
