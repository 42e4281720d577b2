@testable import Scheduler

/// Makes commands by seed that mostly make sense for a given state: a long life of a small, unlucky cluster.
struct RandomLog {
    var random: Seeded
    /// Of its own, so that the rest of a log stays as it is.
    var bulkRandom: Seeded
    var historyRandom: Seeded
    /// Read some time ago, and not said to be on record yet.
    private var departures: [Departure] = []
    var sequences: [String: UInt64] = [:]
    var incarnations: [String: UInt64] = [:]

    init(seed: UInt64) {
        random = Seeded(seed)
        bulkRandom = Seeded(seed &+ 77)
        historyRandom = Seeded(seed &+ 99)
    }

    /// One entry for the machine's state, at its time or somewhat later.
    mutating func entry(for machine: inout Machine) -> [UInt8] {
        machine.time += Milliseconds(random.next() % 4_000)
        var groups: [CommandGroup] = []
        if let wake = machine.scheduler.nextWake, wake <= machine.time {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            group.append(sequence: 0, command: advance(machine).encoded())
            groups.append(group)
        }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let origin = "n\(random.next() % 3)"
            let last = sequences[origin] ?? 0
            var group = CommandGroup(
                origin: origin, incarnation: 7, acknowledgedBelow: last > 20 ? last - 20 : 0)
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                // Some are sent again.
                let isAgain = last > 25 && random.next() % 12 == 0
                let sequence = isAgain ? last - random.next() % 25 : (sequences[origin] ?? 0) + 1
                sequences[origin] = max(sequence, sequences[origin] ?? 0)
                group.append(sequence: sequence, command: command(machine).encoded())
            }
            groups.append(group)
        }
        if bulkRandom.next() % 10 == 0 {
            var group = CommandGroup(origin: "bulk", incarnation: 1, acknowledgedBelow: 0)
            group.append(sequence: UInt64(machine.log.count + 1), command: bulkCommand().encoded())
            groups.append(group)
        }
        if let command = historyCommand(machine) {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            group.append(sequence: 0, command: command.encoded())
            groups.append(group)
        }
        return EntryPayload(time: machine.time, groups: groups).encoded()
    }

    /// Now and then other rules, and what is to be on record first goes: some as it was a few entries ago.
    private mutating func historyCommand(_ machine: Machine) -> Command? {
        switch historyRandom.next() % 24 {
        case 0:
            var retention = machine.scheduler.retention
            retention.isExported = historyRandom.next() % 3 != 0
            retention.cancelledMilliseconds = Milliseconds(historyRandom.next() % 3) * 4_000
            retention.expiredMilliseconds = Milliseconds(historyRandom.next() % 3) * 4_000
            return .setRetention(retention)
        case 1..<7:
            let found = machine.scheduler.departures(
                at: machine.time, limit: 1 + Int(historyRandom.next() % 9), maxBytes: 1 << 20)
            departures += found.compactMap { Departure($0) }
            return nil
        case 7..<14 where !departures.isEmpty:
            defer { departures.removeAll() }
            return .dropExported(departures)
        default: return nil
        }
    }

    private mutating func bulkCommand() -> Command {
        if bulkRandom.next() % 6 == 0 { return .stopBulkJob(BulkJobID(1 + bulkRandom.next() % 9)) }
        var filter = TaskFilter()
        if bulkRandom.next() % 2 == 0 { filter.queue = "q\(bulkRandom.next() % 3)" }
        if bulkRandom.next() % 3 == 0 { filter.handler = "h\(bulkRandom.next() % 3)" }
        if bulkRandom.next() % 4 == 0 { filter.text = bulkRandom.next() % 2 == 0 ? "t1" : "no" }
        if bulkRandom.next() % 4 == 0 {
            filter.states = TaskState.allCases.filter { _ in bulkRandom.next() % 2 == 0 }
        }
        let creation = 1_000_000 + Milliseconds(bulkRandom.next() % 200_000)
        if bulkRandom.next() % 6 == 0 { filter.since = creation }
        if bulkRandom.next() % 6 == 0 { filter.until = creation }
        if bulkRandom.next() % 4 == 0 { filter.worker = "w\(bulkRandom.next() % 5)" }
        return .beginBulkJob(
            BulkSpec(
                BulkSpec.Action.allCases[Int(bulkRandom.next() % 3)], filter,
                limit: bulkRandom.next() % 3 == 0 ? 1 + bulkRandom.next() % 6 : nil,
                key: bulkRandom.next() % 4 == 0 ? "b\(bulkRandom.next() % 3)" : nil))
    }

    private mutating func advance(_ machine: Machine) -> Command {
        let due = machine.scheduler.dueSchedules(at: machine.time, limit: 10)
        return .advance(
            due.map { schedule in
                let step: Milliseconds = 5_000
                let missed = (machine.time - schedule.next) / step
                let nominal = schedule.next + missed * step
                return Firing(
                    schedule: schedule.name, revision: schedule.revision,
                    expectedNext: schedule.next, nominal: nominal, missed: UInt32(missed),
                    next: nominal + step)
            })
    }

    private mutating func command(_ machine: Machine) -> Command {
        switch random.next() % 100 {
        case 0..<3: .submitGraph(graph(machine))
        case 3: .cancelWorkflow(WorkflowID(first: anyTask(machine)))
        case 4..<40: .submit(successor(spec(), machine))
        case 40..<70: finish(machine)
        case 70..<75: .cancel(anyTask(machine))
        case 75..<79: .retry(anyTask(machine))
        case 79: .deleteTask(anyTask(machine))
        case 80, 81: backfillCommand(machine)
        case 82..<86: .registerWorker(worker())
        case 86..<88: attach()
        case 88..<94: workerCommand(machine)
        case 94..<96: putSchedule(machine)
        case 96: scheduleCommand(machine)
        case 97, 98:
            switch random.next() % 4 {
            case 0: templateCommand()
            case 1: namespaceCommand()
            default: queueCommand()
            }
        default: memberCommand()
        }
    }

    private mutating func queueCommand() -> Command {
        let name = prefix() + "q\(random.next() % 3)"
        switch random.next() % 6 {
        case 0: return .pauseQueue(name: name)
        case 1 where name.hasSuffix("2"): return .resetQueue(name: name)
        case 1, 2: return .resumeQueue(name: name)
        default:
            var spec = QueueSpec()
            if random.next() % 2 == 0 { spec.concurrency = UInt32(1 + random.next() % 4) }
            if random.next() % 4 == 0 { spec.maxPending = UInt32(random.next() % 20) }
            if random.next() % 4 == 0 {
                spec.rate = RateLimit(
                    count: UInt32(1 + random.next() % 5), perMilliseconds: 4_000,
                    burst: UInt32(1 + random.next() % 3))
            }
            if random.next() % 3 == 0 {
                spec.breaker = BreakerSpec(
                    trip: random.next() % 2 == 0
                        ? .failures(2)
                        : .ratio(permille: 300, minimum: 3, windowMilliseconds: 20_000),
                    openMilliseconds: 6_000, probes: UInt32(1 + random.next() % 2))
            }
            if random.next() % 3 == 0 { spec.errorWebhook = "http://h1" }
            if random.next() % 2 == 0 { spec.limits = limits() }
            return .putQueue(
                name: name, spec, paused: random.next() % 4 > 0 ? false : nil,
                isInitial: random.next() % 4 == 0)
        }
    }

    private mutating func limits() -> [KeyLimit] {
        var limits: [KeyLimit] = []
        for key in ["payload.c", "meta.a"] where random.next() % 3 > 0 {
            var limit = KeyLimit(key: key, concurrency: UInt32(1 + random.next() % 3))
            if random.next() % 2 == 0 {
                limit.rate = RateLimit(
                    count: UInt32(1 + random.next() % 3), perMilliseconds: 4_000,
                    burst: UInt32(1 + random.next() % 3))
                if random.next() % 2 == 0 { limit.concurrency = nil }
            }
            limits.append(limit)
        }
        return limits
    }

    private mutating func templateCommand() -> Command {
        let name = prefix() + "t\(random.next() % 3)"
        guard random.next() % 3 > 0 else { return .deleteTemplate(name: name) }
        return .putTemplate(name: name, body: Array("{\(random.next())}".utf8))
    }

    /// Most things are in the default namespace.
    private mutating func prefix() -> String {
        random.next() % 5 == 0 ? "n\(random.next() % 2):" : ""
    }

    private mutating func namespaceCommand() -> Command {
        let name = random.next() % 4 == 0 ? "default" : "n\(random.next() % 2)"
        guard random.next() % 4 > 0 else { return .deleteNamespace(name: name) }
        var quota = NamespaceQuota()
        if random.next() % 3 == 0 { quota.pending = UInt32(random.next() % 30) }
        if random.next() % 3 == 0 { quota.running = UInt32(random.next() % 4) }
        if random.next() % 3 == 0 {
            quota.submitRate = RateLimit(
                count: UInt32(1 + random.next() % 5), perMilliseconds: 4_000,
                burst: UInt32(1 + random.next() % 6))
        }
        var retention = NamespaceRetention()
        if random.next() % 3 == 0 {
            retention.succeededMilliseconds = Milliseconds(random.next() % 9_000)
        }
        if random.next() % 3 == 0 { retention.maxFinished = UInt32(random.next() % 4) }
        if random.next() % 3 == 0 { retention.maxDead = UInt32(random.next() % 4) }
        return .putNamespace(name: name, quota, retention: retention)
    }

    private mutating func memberCommand() -> Command {
        let name = "w\(random.next() % 5)"
        let directory = random.next() % 3
        return switch random.next() % 7 {
        case 0: .raiseStateVersion(UInt32(1 + random.next() % 2))
        case 1: .adoptMembers([.named("w1"), .named("w2")])
        case 2: .removeMember(name: name, directory: directory)
        case 3, 4: .announceNode(.named(name, directory: directory, stateVersion: 2))
        default: .addMember(.named(name, directory: directory, stateVersion: 2))
        }
    }

    private mutating func graph(_ machine: Machine) -> GraphSpec {
        let items = (0..<1 + UInt32(random.next() % 5)).map { place in
            var spec = successor(spec(), machine)
            spec.key = nil
            let after = (0..<place).filter { _ in random.next() % 2 == 0 }
            return GraphSpec.Item(
                name: random.next() % 2 == 0 ? "n\(place)" : nil, after: after, spec: spec)
        }
        return GraphSpec(items: items, key: random.next() % 4 == 0 ? "k\(random.next() % 50)" : nil)
    }

    /// Now and then the task waits for some of those before it.
    private mutating func successor(_ spec: TaskSpec, _ machine: Machine) -> TaskSpec {
        guard random.next() % 3 == 0 else { return spec }
        var spec = spec
        let newest = machine.scheduler.state.nextTask
        spec.after = (0..<1 + random.next() % 3).map { _ in
            TaskID(newest - min(newest, random.next() % 12))
        }
        spec.onDependencyFailure = random.next() % 2 == 0 ? .cancel : .hold
        if random.next() % 3 == 0 { spec.onDependencyFailure = .run }
        return spec
    }

    mutating func spec() -> TaskSpec {
        var spec = TaskSpec(handler: "h\(random.next() % 3)")
        spec.payload = Array(repeating: UInt8(ascii: "7"), count: Int(random.next() % 40))
        if random.next() % 2 == 0 { spec.payload = Array("{\"c\":\(random.next() % 3)}".utf8) }
        spec.priority = UInt8(random.next() % 10)
        spec.queue = prefix() + "q\(random.next() % 2)"
        // By what was drawn, so that the draws that follow stay as they are.
        if spec.payload.count < 10 { spec.cacheMilliseconds = 60_000 }
        spec.retry.attempts = UInt32(1 + random.next() % 4)
        spec.retry.backoff = RetryPolicy.Backoff(rawValue: UInt8(random.next() % 3)) ?? .fixed
        spec.retry.initialMilliseconds = Milliseconds(random.next() % 3 * 700)
        spec.timeoutMilliseconds = 1_000 + Milliseconds(random.next() % 3) * 20_000
        switch random.next() % 4 {
        case 0: spec.start = .after(milliseconds: Milliseconds(random.next() % 20_000))
        case 1: spec.start = .at(1_000_000 + Milliseconds(random.next() % 100_000))
        default: break
        }
        if random.next() % 4 == 0 { spec.expiresMilliseconds = Milliseconds(random.next() % 9_000) }
        if random.next() % 4 == 0 { spec.delivery = .atMostOnce }
        if random.next() % 5 == 0 { spec.tags = ["gpu"] }
        if random.next() % 5 == 0 { spec.routingKey = "r\(random.next() % 4)" }
        if random.next() % 4 == 0 { spec.key = "k\(random.next() % 50)" }
        if random.next() % 9 == 0 { spec.template = "t\(random.next() % 3)" }
        if random.next() % 6 == 0 { spec.meta = [Label(name: "a", value: "b")] }
        if random.next() % 5 == 0 {
            spec.overallTimeoutMilliseconds = Milliseconds(1 + random.next() % 30_000)
        }
        if random.next() % 5 == 0 { spec.webhook = "http://h\(random.next() % 3)" }
        if random.next() % 5 == 0 { spec.retry.kinds = ["error", "lost"] }
        return spec
    }

    private mutating func finish(_ machine: Machine) -> Command {
        let workers = machine.scheduler.workers().flatMap {
            machine.scheduler.runningAttempts(
                worker: $0.spec.id, incarnation: $0.spec.incarnation)
        }
        guard let current = workers.randomElement(using: &random) else { return .submit(spec()) }
        let isStale = random.next() % 10 == 0
        if isStale, current.task.number % 2 == 0 { return .noteLog(current.formerLog) }
        let result: AttemptResult =
            switch random.next() % 10 {
            // By the task, so that the draws that follow stay as they are.
            case 0..<6 where current.task.number % 4 == 0:
                .stored(
                    StoredOutput(
                        bytes: 1 << 17, checksum: [UInt8](repeating: 1, count: 32),
                        node: current.task.number % 8 == 0 ? "" : "n1"))
            case 0..<6: .succeeded(Array("true".utf8))
            case 6: .returned
            case 7: .error("final", isRetryable: false)
            case 8: .error("slow", kind: "timeout")
            default: .error("later", retryAfter: Milliseconds(random.next() % 3_000))
            }
        return .finish(
            Finish(
                task: current.task, attempt: current.attempt,
                fence: isStale ? current.fence - 1 : current.fence, result: result,
                log: current.task.number % 3 == 0
                    ? Finish.Log(bytes: current.attempt, node: "n1") : nil,
                hasBegun: current.task.number % 5 > 0))
    }

    private mutating func anyTask(_ machine: Machine) -> TaskID {
        TaskID(1 + random.next() % max(1, machine.scheduler.state.nextTask))
    }

    private mutating func worker() -> WorkerSpec {
        let id = "w\(random.next() % 5)"
        if random.next() % 3 == 0 { incarnations[id, default: 1] += 1 }
        return WorkerSpec(
            id: id, incarnation: incarnations[id] ?? 1, slots: UInt32(random.next() % 5),
            handlers: (0..<3).filter { _ in random.next() % 3 > 0 }.map { "h\($0)" }
                + (random.next() % 2 == 0 ? [Webhook.handler] : []),
            tags: random.next() % 2 == 0 ? ["gpu"] : [])
    }

    /// Under a name of its own, or one that nodes have.
    private mutating func attach() -> Command {
        var spec = worker()
        if random.next() % 4 > 0 { spec.id = "a\(random.next() % 3)" }
        // Few keys, so that many come again.
        return .attachWorker(spec, key: random.next() % 3 > 0 ? "k\(random.next() % 20)" : nil)
    }

    private mutating func workerCommand(_ machine: Machine) -> Command {
        let isAttached = random.next() % 4 == 0
        let id = isAttached ? "a\(random.next() % 3)" : "w\(random.next() % 5)"
        let incarnation =
            isAttached
            ? machine.scheduler.worker(id)?.spec.incarnation ?? 1 : incarnations[id] ?? 1
        return switch random.next() % 3 {
        case 0: .drainWorker(id: id, incarnation: incarnation)
        case 1: .undrainWorker(id: id, incarnation: incarnation)
        default: .workerLost(id: id, incarnation: incarnation)
        }
    }

    private mutating func putSchedule(_ machine: Machine) -> Command {
        var task = spec()
        task.payload = Array("\"{{occurrence}}\"".utf8)
        var policy = SchedulePolicy()
        policy.overlap = OverlapPolicy(rawValue: UInt8(random.next() % 4)) ?? .allow
        if random.next() % 4 == 0 { policy.catchUp = .none }
        if random.next() % 3 == 0 { policy.graceMilliseconds = 0 }
        if random.next() % 3 == 0 { policy.jitterMilliseconds = 3_000 }
        if random.next() % 5 == 0 { policy.until = machine.time + 20_000 }
        return .putSchedule(
            name: Namespace(of: task.queue).qualified("s\(random.next() % 4)"),
            ScheduleSpec(
                timing: .every(milliseconds: 5_000), zone: "UTC", policy: policy, task: task),
            paused: [true, false, nil][Int(random.next() % 3)], next: machine.time + 5_000)
    }

    private mutating func scheduleCommand(_ machine: Machine) -> Command {
        let name = prefix() + "s\(random.next() % 4)"
        return switch random.next() % 8 {
        case 0..<3: .triggerSchedule(name: name)
        case 3..<5: .pauseSchedule(name: name)
        case 5..<7:
            .resumeSchedule(
                name: name,
                Resumption(
                    revision: machine.scheduler.schedule(name)?.revision ?? 0,
                    expectedNext: machine.scheduler.schedule(name)?.next, skipped: 2,
                    next: machine.time + 3_000))
        default: .deleteSchedule(name: name)
        }
    }

    private mutating func backfillCommand(_ machine: Machine) -> Command {
        let name = "s\(random.next() % 4)"
        let view = machine.scheduler.schedule(name)
        let begin = machine.time / 5_000 * 5_000 - Milliseconds(random.next() % 20) * 5_000
        switch random.next() % 8 {
        case 0: return .cancelBackfill(name: name)
        case 1, 2:
            return .startBackfill(
                name: name, revision: view?.revision ?? 0,
                Backfill(
                    from: begin, to: machine.time - Milliseconds(random.next() % 9_000),
                    isSequential: random.next() % 2 == 0, next: begin))
        default:
            guard let next = view?.backfill?.next else { return .cancelBackfill(name: name) }
            let instants = (0..<1 + random.next() % 5).map { next + Milliseconds($0) * 5_000 }
            return .fillBack(
                BackfillPortion(
                    schedule: name, revision: view?.revision ?? 0, instants: instants,
                    next: instants[instants.count - 1] + 5_000))
        }
    }
}
