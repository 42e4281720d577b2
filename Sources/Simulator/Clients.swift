import Node
import Raft
import Scheduler

/// Everybody who asks nodes for something: users of the API, and the workers that report their attempts.
struct Clients {
    enum Kind {
        case submit(TaskSpec)
        case finish(Finish)
        /// Cancel, retry, or something about a schedule.
        case change(Command)
        /// The state must be at least this far when it is answered, and hold this task.
        case read(minApplied: Index, TaskID?)
        /// A write is a change.
        case readRegister(Int)
        /// Of a worker outside of the cluster.
        case attached(AttachedWorker.Question)
    }

    enum Status {
        case open
        case answered
        case refused
        /// Its node died, or gave up waiting: it may or may not be done.
        case unknown
    }

    struct Operation {
        var kind: Kind
        var node: Int
        var life: Int
        var startedAt: Nanoseconds
        var status = Status.open
        /// Has to be answered before the run may end.
        var isProbe = false
    }

    /// A token is a place in this array.
    private(set) var operations: [Operation] = []
    private var openTokens: [Token] = []
    var random: RandomSource
    var wishes: DeliveryWishes
    /// Acknowledged submissions, oldest first.
    var known: [TaskID] = []
    var submissions = 0
    /// What every read that begins now must see.
    var visibleIndex: Index = 0

    init(random: RandomSource, wishes: DeliveryWishes) {
        self.random = random
        self.wishes = wishes
    }

    subscript(token: Token) -> Operation { operations[Int(token)] }

    mutating func open(
        _ kind: Kind, node: Int, life: Int, now: Nanoseconds, isProbe: Bool = false
    ) -> Token {
        operations.append(
            Operation(kind: kind, node: node, life: life, startedAt: now, isProbe: isProbe))
        let token = Token(operations.count - 1)
        openTokens.append(token)
        return token
    }

    mutating func close(_ token: Token, _ status: Status) {
        operations[Int(token)].status = status
        openTokens.removeAll { $0 == token }
    }

    /// Returns the operations whose outcome nobody will hear any more.
    mutating func nodeDied(_ node: Int, life: Int) -> [Token] {
        var orphans: [Token] = []
        for token in openTokens
        where operations[Int(token)].node == node && operations[Int(token)].life == life {
            operations[Int(token)].status = .unknown
            orphans.append(token)
        }
        openTokens.removeAll { operations[Int($0)].status != .open }
        return orphans
    }

    var openCount: Int { openTokens.count }

    func openProbe(on nodes: [SimulatedNode]) -> Operation? {
        openTokens.first { token in
            let operation = operations[Int(token)]
            return operation.isProbe && nodes.contains { $0.number == operation.node }
        }.map { operations[Int($0)] }
    }

    mutating func saw(_ index: Index) { visibleIndex = max(visibleIndex, index) }

    // MARK: What they ask for

    /// A few keys are used again and again, on any node, mostly with the same task.
    mutating func drawSpec(_ work: Scenario.Workload) -> TaskSpec {
        submissions += 1
        var spec = TaskSpec(handler: random.pick(Scenario.handlers))
        var payload = Oracle.uniqueMark + Array("\(submissions),\"fill\":\"".utf8)
        payload += Array(repeating: UInt8(ascii: "x"), count: random.within(work.payloadBytes))
        spec.payload = payload + Array("\"}".utf8)
        if random.chance(permille: work.keyedPermille) {
            let number = random.index(max(4, submissions / 2))
            spec.key = "key-\(number)"
            spec.handler = Scenario.handlers[number % Scenario.handlers.count]
            spec.payload = Array("{\"key\":\(number)}".utf8)
            if random.chance(permille: 30) { spec.payload = Array("{\"other\":true}".utf8) }
        }
        if random.chance(permille: work.unrunnablePermille) {
            if random.chance(permille: 500) {
                spec.handler = "nobody"
            } else {
                spec.tags = ["nowhere"]
            }
        } else if random.chance(permille: 100) {
            spec.tags = [random.pick(["blue", "gpu"])]
        }
        if random.chance(permille: work.delayedPermille) {
            spec.start =
                random.chance(permille: work.atInstantPermille)
                ? .at(ClockModel.epoch + Milliseconds(random.within(0...60_000)))
                : .after(milliseconds: Milliseconds(random.within(0...8_000)))
        }
        spec.queue = random.pick(["default", "mail"])
        spec.priority = UInt8(random.index(10))
        spec.retry.attempts = UInt32(random.pick([1, 2, 3, 5]))
        spec.retry.backoff = random.pick([.exponential, .linear, .fixed])
        spec.retry.initialMilliseconds = Milliseconds(random.within(0...500))
        spec.retry.maxMilliseconds = 4_000
        spec.retry.jitter = random.chance(permille: 500)
        spec.timeoutMilliseconds = Milliseconds(random.pick([500, 2_000, 5_000]))
        if random.chance(permille: 100) {
            spec.expiresMilliseconds = Milliseconds(random.within(1...10_000))
        }
        if random.chance(permille: 100) { spec.routingKey = "route-\(random.index(5))" }
        if random.chance(permille: work.atMostOncePermille) { spec.delivery = .atMostOnce }
        if random.chance(permille: 200) { spec.meta = [Label(name: "a", value: "b")] }
        wishes.add(to: &spec)
        return spec
    }

    /// Each write has a payload of its own.
    mutating func drawWrite(_ register: Int) -> Command {
        submissions += 1
        let timing = ScheduleBooks.timings[0].spec
        var task = TaskSpec(handler: "nobody")
        task.payload = Array("{\"write\":\(submissions)}".utf8)
        return .putSchedule(
            name: Registers.name(register),
            ScheduleSpec(timing: timing, zone: "UTC", task: task), paused: true, next: nil)
    }

    func probeSchedule() -> (ScheduleSpec, ScheduleBooks.Timing) {
        let timing = ScheduleBooks.timings[0]
        let task = TaskSpec(handler: "echo")
        return (ScheduleSpec(timing: timing.spec, zone: "UTC", task: task), timing)
    }

    /// Runs a schedule's task at once and briefly, with whoever is there.
    mutating func drawSchedule(
        at time: Milliseconds
    ) -> (ScheduleSpec, ScheduleBooks.Timing) {
        var task = TaskSpec(handler: "echo")
        task.payload = Array("{\"at\":\"{{occurrence}}\"}".utf8)
        task.timeoutMilliseconds = 2_000
        if random.chance(permille: 300) { task.expiresMilliseconds = 1_500 }
        let timing = random.pick(ScheduleBooks.timings)
        var spec = ScheduleSpec(timing: timing.spec, zone: "UTC", task: task)
        spec.policy = drawPolicy(at: time)
        return (spec, timing)
    }

    /// Never ends by itself; some take long, so that others come before they have ended.
    mutating func drawCrowdSchedule() -> (ScheduleSpec, ScheduleBooks.Timing) {
        let timing = ScheduleBooks.timings[0]
        var spec = ScheduleSpec(
            timing: timing.spec, zone: "UTC", task: TaskSpec(handler: "echo"))
        spec.policy = drawPolicy(at: 0)
        spec.policy.until = nil
        spec.task.retry.initialMilliseconds = 2_000
        return (spec, timing)
    }

    private mutating func drawPolicy(at time: Milliseconds) -> SchedulePolicy {
        var policy = SchedulePolicy()
        policy.overlap = random.pick(OverlapPolicy.allCases)
        switch random.index(4) {
        case 0: policy.catchUp = .none
        case 1: policy.catchUp = .latest
        case 2: policy.catchUp = .all(UInt32(random.within(1...5)))
        default: policy.catchUp = .within(milliseconds: Milliseconds(random.within(0...5_000)))
        }
        policy.graceMilliseconds = random.pick([0, 2_000, 60_000])
        policy.jitterMilliseconds = random.pick([0, 0, 3_000])
        if random.chance(permille: 200) {
            policy.until = time + Milliseconds(random.within(0...30_000))
        }
        return policy
    }
}
