import Testing

@testable import Scheduler

struct CommandCodecTests {
    static let full: TaskSpec = {
        var spec = TaskSpec(handler: "resize")
        spec.payload = Array("{\"a\": [1, 2]}".utf8)
        spec.start = .at(77)
        spec.queue = "mail"
        spec.priority = 9
        spec.retry.attempts = 7
        spec.retry.backoff = .linear
        spec.retry.initialMilliseconds = 5
        spec.retry.maxMilliseconds = 50
        spec.retry.jitter = false
        spec.retry.kinds = ["http", "timeout"]
        spec.overallTimeoutMilliseconds = 789
        spec.webhook = "http://127.0.0.1/"
        spec.timeoutMilliseconds = 123
        spec.expiresMilliseconds = 456
        spec.tags = ["gpu", "zone-a"]
        spec.routingKey = "user-7"
        spec.delivery = .atMostOnce
        spec.cacheMilliseconds = 600_000
        spec.key = "key"
        spec.meta = [Label(name: "a", value: "ä"), Label(name: "b", value: "")]
        spec.template = "thumbnail"
        return spec
    }()

    static let commands: [Command] = {
        var cron = ScheduleSpec(timing: .cron("0 9 * * MON"), zone: "Europe/Berlin", task: full)
        cron.zoneData = "2026a"
        cron.policy.overlap = .cancelOther
        cron.policy.catchUp = .within(milliseconds: 9)
        cron.policy.jitterMilliseconds = 4
        cron.policy.until = 77
        cron.policy.daylight = DaylightPolicy(gap: .skip, overlap: .last)
        var list = ScheduleSpec(timing: .at([1, 5]), zone: "UTC", task: .h())
        list.policy.overlap = .buffer
        list.policy.catchUp = .all(7)
        list.policy.daylight = DaylightPolicy(gap: .shift, overlap: .both)
        let every = ScheduleSpec(timing: .every(milliseconds: 9, phase: 8), zone: "", task: .h())
        let firing = Firing(
            schedule: "s", revision: 3, expectedNext: 5, nominal: 6, missed: 2, later: 3, next: 7,
            zoneData: "2026a")
        let last = Firing(
            schedule: "s", revision: 3, expectedNext: 7, nominal: nil, missed: 0, next: nil)
        let failure = AttemptResult.error("m", kind: "http", isRetryable: false, retryAfter: 9)
        let worker = WorkerSpec(
            id: "w", incarnation: 4, slots: 8, handlers: ["a", "b"], tags: ["gpu"])
        var limited = QueueSpec()
        limited.concurrency = 4
        limited.priority = 8
        limited.maxPending = 0
        limited.rate = RateLimit(count: 100, perMilliseconds: 1_000, burst: 7)
        limited.breaker = BreakerSpec(
            trip: .ratio(permille: 500, minimum: 20, windowMilliseconds: 60_000))
        var keyed = QueueSpec()
        keyed.limits = [
            KeyLimit(key: "payload.a.b", concurrency: 2),
            KeyLimit(
                key: "meta.t", concurrency: 1,
                rate: RateLimit(count: 3, perMilliseconds: 60_000, burst: 2)),
        ]
        var quota = NamespaceQuota()
        quota.pending = 5
        quota.submitRate = limited.rate
        quota.running = 0
        var kept = NamespaceRetention()
        kept.succeededMilliseconds = 0
        kept.deadMilliseconds = 9
        kept.maxDead = 7
        var broken = QueueSpec()
        broken.breaker = BreakerSpec(trip: .failures(5), openMilliseconds: 9, probes: 3)
        broken.errorWebhook = "https://example.com"
        var filter = TaskFilter()
        filter.states = [.dead, .expired]
        filter.queue = "n:q"
        filter.namespace = Namespace(name: "n")
        filter.handler = "h"
        filter.schedule = "s"
        filter.worker = "w"
        filter.tag = "t"
        filter.meta = [Label(name: "a", value: "ä")]
        filter.text = "x"
        filter.since = 4
        filter.until = 5
        filter.workflow = WorkflowID(first: TaskID(3))
        return [
            .submit(full), .submit(.h()), .submit(.h { $0.start = .after(milliseconds: 4) }),
            .submit(
                .h {
                    $0.after = [TaskID(3), TaskID(9)]
                    $0.onDependencyFailure = .hold
                }),
            .cancel(TaskID(4)), .retry(TaskID(.max)), .deleteTask(TaskID(5)),
            .finish(Finish(task: TaskID(1), attempt: 2, fence: 3, result: .ok)),
            .finish(Finish(task: TaskID(1), attempt: 2, fence: 3, result: failure)),
            .finish(Finish(task: TaskID(1), attempt: 2, fence: 3, result: .error())),
            .finish(Finish(task: TaskID(1), attempt: 2, fence: 3, result: .returned)),
            .finish(
                Finish(task: TaskID(1), attempt: 2, fence: 3, result: .returned, hasBegun: false)),
            .finish(
                Finish(
                    task: TaskID(1), attempt: 2, fence: 3,
                    result: .stored(
                        StoredOutput(
                            bytes: 70_000, checksum: [UInt8](repeating: 7, count: 32), node: "n1")),
                    log: Finish.Log(bytes: 9, node: ""))),
            .putSchedule(name: "s", cron, paused: true, next: nil),
            .putSchedule(name: "s", every, paused: false, next: 12),
            .putSchedule(name: "s", list, paused: false, next: 5),
            .putSchedule(name: "s", list, paused: nil, next: 5),
            .pauseSchedule(name: "s"),
            .resumeSchedule(
                name: "s", Resumption(revision: 4, expectedNext: 2, skipped: 8, next: 3)),
            .resumeSchedule(
                name: "s",
                Resumption(
                    revision: 4, expectedNext: nil, skipped: 0, next: nil, zoneData: "2026a")),
            .triggerSchedule(name: "s"),
            .deleteSchedule(name: "s"), .registerWorker(worker),
            .drainWorker(id: "w", incarnation: 1), .undrainWorker(id: "w", incarnation: 2),
            .workerLost(id: "w", incarnation: 3), .advance([]), .advance([firing, last]),
            .adoptMembers([.named("a"), .named("b", directory: .max)]), .adoptMembers([]),
            .addMember(.named("c", directory: 7)),
            .removeMember(name: "c", directory: 7),
            .announceNode(.named("c", directory: 7, stateVersion: 3)), .raiseStateVersion(4),
            .submitGraph(
                GraphSpec(
                    items: [
                        .init(name: "a", after: [], spec: .h()),
                        .init(after: [0], spec: .h { $0.after = [TaskID(3)] }),
                        .init(after: [1], spec: .h { $0.onDependencyFailure = .run }),
                    ], key: "k")),
            .cancelWorkflow(WorkflowID(first: TaskID(4))),
            .putQueue(name: "q", QueueSpec(), paused: nil, isInitial: true),
            .putQueue(name: "q", limited, paused: true, isInitial: false),
            .putQueue(name: "q", limited, paused: false, isInitial: false),
            .putQueue(name: "q", broken, paused: false, isInitial: false),
            .putQueue(name: "q", keyed, paused: nil, isInitial: false),
            .pauseQueue(name: "q"), .resumeQueue(name: "q"), .resetQueue(name: "q"),
            .attachWorker(worker), .attachWorker(worker, key: "k"),
            .startBackfill(
                name: "s", revision: 4,
                Backfill(from: 5, to: 9_000, isSequential: true, next: 1_000)),
            .cancelBackfill(name: "s"), .setRetention(Retention()),
            .dropExported([]),
            .noteLog(
                LogReport(
                    task: TaskID(7),
                    log: AttemptLog(attempt: 3, fence: 99, bytes: 12, node: "n1"))),
            .dropExported([
                Departure(task: TaskID(7), state: .dead, attempt: 3, finishedAt: 99),
                Departure(task: TaskID(.max), state: .expired, attempt: 0, finishedAt: 0),
            ]),
            .fillBack(
                BackfillPortion(schedule: "s", revision: 4, instants: [1_000, 2_000], next: nil)),
            .reportProgress(
                ProgressReport(
                    task: TaskID(1), attempt: 2, fence: 3,
                    progress: TaskProgress(percent: 40, note: "half"))),
            .reportProgress(
                ProgressReport(
                    task: TaskID(1), attempt: 2, fence: 3,
                    progress: TaskProgress(percent: nil, note: nil))),
            .beginBulkJob(BulkSpec(.cancel, TaskFilter())),
            .beginBulkJob(BulkSpec(.retry, filter, limit: 9, key: "k")),
            .beginBulkJob(BulkSpec(.delete, TaskFilter(), limit: .max)),
            .stopBulkJob(BulkJobID(7)),
            .putTemplate(name: "t", body: Array("{}".utf8)), .deleteTemplate(name: "t"),
            .putNamespace(name: "shop", NamespaceQuota()), .putNamespace(name: "shop", quota),
            .putNamespace(name: "shop", quota, retention: kept),
            .triggerSchedule(name: "s", key: "k"),
            .deleteNamespace(name: "shop"),
        ]
    }()

    @Test(arguments: commands)
    func comesBackAsItWas(command: Command) throws {
        #expect(try Command(decoding: command.encoded()) == command)
    }

    @Test(arguments: commands)
    func everyTruncationIsRefused(command: Command) {
        let bytes = command.encoded()
        for count in 0..<bytes.count {
            #expect(throws: CodecError.self) { try Command(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: CodecError.self) { try Command(decoding: bytes + [0]) }
    }

    /// Flipped bytes decode to something else or are refused; they never trap, neither here nor in the machine.
    @Test(arguments: 0..<60)
    func damagedBytesNeverTrap(seed: UInt64) throws {
        var random = Seeded(seed)
        var machine = Machine()
        try machine.register("w", slots: 3, handlers: ["h", "resize"], tags: ["gpu", "zone-a"])
        for round in 0..<100 {
            var group = CommandGroup(
                origin: "n", incarnation: 1, acknowledgedBelow: UInt64(round))
            for (place, command) in Self.commands.enumerated() {
                var bytes = command.encoded()
                for _ in 0..<Int(random.next() % 3) {
                    let position = Int(random.next() % UInt64(bytes.count))
                    bytes[position] = UInt8(truncatingIfNeeded: random.next())
                }
                _ = try? Command(decoding: bytes)
                group.append(sequence: UInt64(round * 100 + place), command: bytes)
            }
            machine.time += Milliseconds(random.next() % 10_000)
            try machine.apply([group])
        }
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.stateHash() == machine.scheduler.stateHash())
    }

    @Test
    func namesAreSortedByBytesWithoutDuplicates() throws {
        let worker = WorkerSpec(
            id: "w", incarnation: 1, slots: 1, handlers: ["b", "a", "b", "Z"], tags: ["ä", "z"])
        let decoded = try Command(decoding: Command.registerWorker(worker).encoded())
        guard case .registerWorker(let spec) = decoded else {
            Issue.record("\(decoded)")
            return
        }
        #expect(spec.handlers == ["Z", "a", "b"])
        #expect(spec.tags == ["z", "ä"])
    }

    @Test
    func limitsAreChecked() {
        var specs: [TaskSpec] = []
        func add(_ change: (inout TaskSpec) -> Void) { specs.append(.h(change)) }
        let long = String(repeating: "x", count: 256)
        add { $0.handler = "" }
        add { $0.handler = long }
        add { $0.queue = "" }
        add { $0.priority = 10 }
        add { $0.payload = Array(repeating: 0, count: Limits.maxPayloadBytes + 1) }
        add { $0.key = "" }
        add { $0.key = long }
        add { $0.routingKey = long }
        add { $0.tags = (0...Limits.maxTags).map { "t\($0)" } }
        add { $0.meta = (0...Limits.maxMetaLabels).map { Label(name: "\($0)", value: "") } }
        add { $0.meta = [Label(name: "a", value: String(repeating: "x", count: 9_000))] }
        add { $0.retry.attempts = 0 }
        add { $0.retry.attempts = 1_001 }
        add { $0.retry.initialMilliseconds = -1 }
        add { $0.retry.maxMilliseconds = Limits.maxDelayMilliseconds + 1 }
        add { $0.timeoutMilliseconds = 0 }
        add { $0.timeoutMilliseconds = Limits.maxTimeoutMilliseconds + 1 }
        add { $0.expiresMilliseconds = -1 }
        add { $0.start = .after(milliseconds: -1) }
        add { $0.start = .after(milliseconds: Limits.maxDelayMilliseconds + 1) }
        for spec in specs {
            #expect(throws: CodecError.self) {
                try Command(decoding: Command.submit(spec).encoded())
            }
        }
    }
}
