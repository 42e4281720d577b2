import Node
import Raft
import Scheduler

/// One machine of the cluster: the real replica while its process runs, and what stands around it.
final class SimulatedNode {
    let number: Int
    /// Another one after the loss of its disk.
    private(set) var id: NodeID
    /// Named by the configuration file as one of those who found the cluster.
    let isFounder: Bool
    /// Asks to be taken in when it belongs to no cluster.
    let joins: Bool
    /// What the program it is started with can apply.
    var stateVersion: UInt32
    var clockModel: ClockModel
    private(set) var disk: SimulatedStorage
    var random: RandomSource
    /// nil: the process is down.
    var replica: Replica?
    /// Beside `replica`: to look whether that is nil would copy it, and everything looks.
    private(set) var isUp = false
    /// Rises with each start and each crash; what belongs to another life is void.
    private(set) var life = 0
    /// What struck the disks that it has lost.
    private(set) var lostDisks: [SimulatedDisk] = []
    /// What former identities had when they were lost: what they acknowledged still counts for the leader.
    private(set) var lostLogs: [NodeID: LogImage] = [:]
    /// What waits for the next turn of the loop.
    var inbox: [ReplicaInput] = []
    var isTurnScheduled = false
    var wakeGeneration = 0
    /// Virtual time of the deadline that is scheduled; `.max`: none.
    var wakeAt: Nanoseconds = .max
    var isPaused = false
    /// No sync begins.
    var isDiskStuck = false
    /// Its process is not started again.
    var staysDown = false
    /// What it failed to do in time while it was paused, it may do until then.
    var excusedUntil: Nanoseconds = 0
    /// The loop is still at what it applied.
    var busyUntil: Nanoseconds = 0
    /// The process dies after performing this many more effects.
    var effectsUntilCrash: Int?
    /// So many further starts end before anything is written but that it has started.
    var relapsesLeft = 0
    /// A received snapshot is on the disk and not yet in the state machine.
    var restoring: SnapshotMark?
    var snapshotUnderWay: (mark: SnapshotMark, copy: SchedulerSnapshot)?
    /// Ids of executions that run here, in the order of their start.
    var executions: [Int] = []
    var launched: Set<LaunchKey> = []
    /// What it could have applied when the last turn had taken in everything.
    var knownCommitted: Index = 0
    /// Probes that its last process took with it: asked again when it starts.
    var owedProbes: [Clients.Kind] = []
    /// Kept from turn to turn: arrays with room for the inputs and effects of the next one.
    var inboxRoom: [ReplicaInput] = []
    var effectRoom: [ReplicaEffect] = []
    /// Turns since `turnsCountedFrom` in which nothing happened, for finding a loop that never sleeps.
    var idleTurns = 0
    var turnsCountedFrom: Nanoseconds = 0

    struct LaunchKey: Hashable {
        var task: TaskID
        var attempt: UInt32
    }

    init(
        number: Int, clockModel: ClockModel, isFounder: Bool, joins: Bool, stateVersion: UInt32,
        segmentBytes: Int, random: RandomSource
    ) {
        var random = random
        self.number = number
        self.isFounder = isFounder
        self.joins = joins
        self.stateVersion = stateVersion
        id = NodeID("n\(number + 1)", directory: random.within(1...Self.maxDirectory))
        self.clockModel = clockModel
        self.random = random
        disk = SimulatedStorage(
            id: id, configuration: Configuration(voters: []), segmentBytes: segmentBytes,
            random: self.random.fork())
    }

    /// The entry is, or was at the end, on the disk of that identity; or is known there to be damaged.
    func knows(_ index: Index, _ term: Term, as identity: NodeID) -> Bool {
        identity == id
            ? disk.synced.knows(index, term) : lostLogs[identity]?.knows(index, term) ?? false
    }

    /// As far as anybody knows, it has all that it ever had.
    var isWhole: Bool { disk.isWhole && !(replica?.raft.isDamaged ?? false) }

    var hasLostDisk: Bool { !lostDisks.isEmpty }

    /// Starts the process from what is on the disk.
    func start(
        settings: ReplicaSettings, founders: [String], shape: Scenario.WorkerShape,
        now: Nanoseconds
    ) throws(StorageStop) {
        precondition(replica == nil)
        life += 1
        let (recovered, bytes) = try disk.open()
        let incarnation = disk.incarnation
        var settings = settings
        settings.founders = isFounder ? founders : []
        settings.joins = joins
        settings.highestStateVersion = stateVersion
        var state = Scheduler()
        do throws(Violation) {
            if let bytes { state = try Self.load(bytes) }
        } catch {
            throw .broken(error)
        }
        if random.chance(permille: 500) {
            clockModel.reboot(base: random.within(5_000_000_000...4_000_000_000_000))
        }
        let worker = WorkerSpec(
            id: id.name, incarnation: incarnation, slots: shape.slots, handlers: shape.handlers,
            tags: shape.tags)
        replica = Replica(
            id: id, incarnation: incarnation, settings: settings, worker: worker,
            recovered: recovered, state: state, planner: .utcOnly, clock: clockModel.clock(at: now),
            seed: random.next())
        isUp = true
        wakeAt = .max
    }

    /// An empty directory in place of the old one: to the others this is somebody else.
    func loseDisk() {
        precondition(!isUp)
        lostDisks.append(disk.disk)
        lostLogs[id] = disk.synced
        id = NodeID(id.name, directory: random.within(1...Self.maxDirectory))
        disk = SimulatedStorage(
            id: id, configuration: Configuration(voters: []), segmentBytes: disk.segmentBytes,
            random: random.fork())
    }

    /// Small, so that reports can be read.
    private static let maxDirectory: UInt64 = 0xff_ffff

    static func load(_ bytes: [UInt8]) throws(Violation) -> Scheduler {
        do {
            return try Scheduler(snapshot: bytes)
        } catch {
            throw Violation("snapshots decode", "\(error)")
        }
    }

    /// The process ended before it was up.
    func failToStart(losesPower: Bool) {
        precondition(replica == nil)
        life += 1
        disk.crash(losesPower: losesPower)
    }

    /// Everything that is not on the disk is gone.
    func crash(losesPower: Bool) {
        precondition(replica != nil)
        life += 1
        replica = nil
        isUp = false
        inbox = []
        isTurnScheduled = false
        wakeGeneration += 1
        isPaused = false
        busyUntil = 0
        effectsUntilCrash = nil
        snapshotUnderWay = nil
        restoring = nil
        executions = []
        launched = []
        disk.crash(losesPower: losesPower)
    }
}
