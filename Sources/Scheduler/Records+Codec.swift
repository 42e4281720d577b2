/// The records of a snapshot.
///
/// ```
/// schedule  name string · revision u64 · spec blob · isPaused bool · createdAt i64 · next (bool · i64)
///           · last (bool · i64) · lastTask (bool · i64) · ran u64 · skipped u64 · missed u64 · expired u64
///           · triggeredAt (bool · i64) · triggersAtThatTime u32 · history · backfill (bool · `Backfill`) · backfilled u64
/// queue     name string · spec (`QueueSpec`) · isPaused bool · isDeclared bool · virtual time u64 for each priority
///           · if it has a rate: units i64 · refilledAt i64 · opensAt (bool · i64); breaker (`Breaker`)
/// task      id u64 · state u8 · priority u8 · lastOutcome u8 · losses u8 · spent u16 · attempt u32 · profile u32
///           · dueAt i64 · createdAt i64 · payload blob
///           · tag u64 if ready or running · isParked bool if ready · probe u32 if running · if attempt > 0: worker u32 · startedAt i64 · finishedAt i64 · fence u64, else finishedAt i64
///           · result (bool · blob) · hasExtra bool · extra
/// extra     key, routingKey (bool · string) · meta (count u32 · (name string · value string)…)
///           · occurrence, schedule (bool · string) · error (bool · message string · kind string · attempt u32)
///           · history (count u32 · (number u32 · worker string · startedAt i64
///           · finishedAt i64 · outcome u8)…) · hasDependencies bool · dependencies (see `Dependencies`)
///           · hasWorkflow bool · membership (see `WorkflowMembership`)
///           · progress (bool · percent (bool · u8) · note (bool · string))
///           · deadline (bool · i64) · webhook (bool · string)
///           · stored (bool · `StoredResult`) · logs (count u32 · `AttemptLog`…)
///           · cachedFrom (bool · task u64) · limit keys (count u32 · (key string · value string)…) · isBackfilled bool
///           · template (bool · string)
/// ```
extension TaskRecord {
    /// `tasks` are all of the state.
    func encode(_ id: UInt64, among tasks: TaskTable, into writer: inout ByteWriter) {
        writer.put(id)
        writer.put(state.rawValue)
        writer.put(priority)
        writer.put(lastOutcome.rawValue)
        writer.put(losses)
        writer.put(spent)
        writer.put(attempt)
        writer.put(profile)
        writer.put(dueAt)
        writer.put(createdAt)
        writer.put(payload)
        if state == .ready || state == .running { writer.put(tag) }
        if state == .ready { writer.put(isParked) }
        if state == .running { writer.put(probe) }
        if attempt > 0 {
            writer.put(worker)
            writer.put(startedAt)
            writer.put(finishedAt)
            writer.put(fence)
        } else {
            writer.put(finishedAt)
        }
        writer.put(result != nil)
        if let result { writer.put(result) }
        writer.put(extra != nil)
        extra?.fields.encode(among: tasks, into: &writer)
    }

    /// `tasks` holds all with lower numbers.
    init(from reader: inout ByteReader, among tasks: TaskTable) throws(CodecError) {
        let stateByte = try reader.byte()
        guard let state = TaskState(rawValue: stateByte) else {
            throw CodecError("\(stateByte) is not a task's state")
        }
        let priority = try reader.byte()
        guard priority <= 9 else { throw CodecError("priority \(priority) is not in 0...9") }
        let lastOutcome = try AttemptOutcome(from: &reader)
        let losses = try reader.byte()
        let spent = try reader.uint16()
        let attempt = try reader.uint32()
        let profile = try reader.uint32()
        let dueAt = try reader.instant("due time")
        let createdAt = try reader.instant("creation time")
        self.init(
            payload: try reader.blob(), extra: nil, dueAt: dueAt, createdAt: createdAt,
            profile: profile, state: state, priority: priority)
        self.lastOutcome = lastOutcome
        self.losses = losses
        self.spent = spent
        self.attempt = attempt
        if state == .ready || state == .running { tag = try reader.tag() }
        if state == .ready { isParked = try reader.bool() }
        if state == .running { probe = try reader.uint32() }
        if attempt > 0 {
            worker = try reader.uint32()
            startedAt = try reader.instant("start")
            finishedAt = try reader.instant("end")
            fence = try reader.uint64()
        } else {
            finishedAt = try reader.instant("end")
        }
        guard (lastOutcome == .running) == (state == .running), attempt > 0 || lastOutcome == .none,
            fence < 1 << 62, attempt < 1 << 31, UInt32(spent) <= Limits.maxAttempts
        else { throw CodecError("a task's state and its attempts contradict each other") }
        if try reader.bool() { result = try reader.blob() }
        if try reader.bool() {
            extra = TaskExtra(try TaskExtra.Fields(from: &reader, among: tasks))
        }
        let isAwaiting = extra?.fields.dependencies?.isAwaiting ?? false
        guard isAwaiting || state != .blocked else {
            throw CodecError("a task is blocked by none")
        }
        guard isKeyed || !isParked else { throw CodecError("a task is held back by no key") }
    }
}

extension AttemptOutcome {
    init(from reader: inout ByteReader) throws(CodecError) {
        let byte = try reader.byte()
        guard let outcome = AttemptOutcome(rawValue: byte) else {
            throw CodecError("\(byte) is not an attempt's outcome")
        }
        self = outcome
    }
}

extension TaskExtra.Fields {
    func encode(among tasks: TaskTable, into writer: inout ByteWriter) {
        writer.put(key)
        writer.put(routingKey)
        writer.put(UInt32(meta.count))
        for label in meta {
            writer.put(label.name)
            writer.put(label.value)
        }
        writer.put(occurrence)
        writer.put(schedule)
        writer.put(error != nil)
        if let error {
            writer.put(error.message)
            writer.put(error.kind)
            writer.put(error.attempt)
        }
        writer.put(UInt32(history.count))
        for past in history {
            writer.put(past.number)
            writer.put(past.worker)
            writer.put(past.startedAt)
            writer.put(past.finishedAt)
            writer.put(past.outcome.rawValue)
        }
        writer.put(dependencies != nil)
        dependencies?.encode(among: tasks, into: &writer)
        writer.put(workflow != nil)
        workflow?.encode(into: &writer)
        writer.put(progress != nil)
        progress?.encode(into: &writer)
        writer.put(deadline)
        writer.put(webhook)
        writer.put(stored != nil)
        stored?.encode(into: &writer)
        writer.put(UInt32(logs.count))
        for log in logs { log.encode(into: &writer) }
        writer.put(cachedFrom != nil)
        if let cachedFrom { writer.put(cachedFrom.number) }
        writer.put(UInt32(limitKeys.count))
        for value in limitKeys {
            writer.put(value.name)
            writer.put(value.value)
        }
        writer.put(isBackfilled)
        writer.put(template)
    }

    init(from reader: inout ByteReader, among tasks: TaskTable) throws(CodecError) {
        key = try reader.optionalString()
        routingKey = try reader.optionalString()
        for _ in 0..<(try reader.count(minimumBytes: 8)) {
            let name = try reader.string()
            meta.append(Label(name: name, value: try reader.string()))
        }
        occurrence = try reader.optionalString()
        schedule = try reader.optionalString()
        if try reader.bool() {
            let message = try reader.string()
            let kind = try reader.string()
            error = TaskView.AttemptError(
                message: message, kind: kind, attempt: try reader.uint32())
        }
        let count = try reader.count(minimumBytes: 25)
        guard count <= Limits.maxAttemptHistory else {
            throw CodecError("\(count) past attempts are too many")
        }
        for _ in 0..<count {
            let number = try reader.uint32()
            let worker = try reader.string()
            let startedAt = try reader.instant("start")
            let finishedAt = try reader.instant("end")
            history.append(
                TaskExtra.PastAttempt(
                    number: number, worker: worker, startedAt: startedAt, finishedAt: finishedAt,
                    outcome: try AttemptOutcome(from: &reader)))
        }
        if try reader.bool() { dependencies = try Dependencies(from: &reader, among: tasks) }
        if try reader.bool() { workflow = try WorkflowMembership(from: &reader) }
        if try reader.bool() { progress = try TaskProgress(from: &reader) }
        deadline = try reader.optionalInstant("deadline")
        webhook = try reader.optionalString()
        if let webhook { try Webhook.check(webhook.utf8) }
        if try reader.bool() { stored = try StoredResult(from: &reader) }
        let logCount = try reader.count(minimumBytes: 20)
        guard logCount <= Limits.maxAttemptHistory else {
            throw CodecError("\(logCount) logs are too many")
        }
        for _ in 0..<logCount { logs.append(try AttemptLog(from: &reader)) }
        if try reader.bool() { cachedFrom = TaskID(try reader.uint64()) }
        let keyCount = try reader.count(minimumBytes: 8)
        guard keyCount <= Limits.maxKeyLimits else {
            throw CodecError("\(keyCount) values of limited keys are too many")
        }
        for _ in 0..<keyCount {
            let key = try reader.string()
            limitKeys.append(Label(name: key, value: try reader.string()))
        }
        isBackfilled = try reader.bool()
        template = try reader.optionalString()
    }
}

extension ScheduleRecord {
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(revision)
        writer.put(spec)
        writer.put(isPaused)
        writer.put(createdAt)
        writer.put(next)
        writer.put(last)
        writer.put(lastTask.map { Int64(bitPattern: $0.number) })
        writer.put(buffered)
        writer.put(zoneData)
        writer.put(ran)
        writer.put(skipped)
        writer.put(missed)
        writer.put(expired)
        writer.put(triggeredAt)
        writer.put(triggersAtThatTime)
        history.encode(into: &writer)
        writer.put(backfill != nil)
        backfill?.encode(into: &writer)
        writer.put(backfilled)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.string()
        guard Self.isName(name) else { throw CodecError("\(name) is not a schedule's name") }
        revision = try reader.uint64()
        spec = try reader.blob()
        var specReader = ByteReader(spec)
        _ = try ScheduleSpec(from: &specReader)
        guard specReader.remaining == 0 else { throw CodecError("bytes behind a schedule") }
        isPaused = try reader.bool()
        createdAt = try reader.instant("creation time")
        next = try reader.optionalInstant("next occurrence")
        last = try reader.optionalInstant("last occurrence")
        lastTask = try reader.optionalInt64().map { TaskID(UInt64(bitPattern: $0)) }
        buffered = try reader.optionalInstant("waiting occurrence")
        zoneData = try reader.zoneData()
        ran = try reader.uint64()
        skipped = try reader.uint64()
        missed = try reader.uint64()
        expired = try reader.uint64()
        triggeredAt = try reader.optionalInstant("trigger")
        triggersAtThatTime = try reader.uint32()
        history = try ScheduleHistory(from: &reader)
        if try reader.bool() { backfill = try Backfill(from: &reader) }
        backfilled = try reader.uint64()
        guard backfill?.state != .running || backfill?.next != nil else {
            throw CodecError("a backfill runs and has nothing left")
        }
    }
}

extension QueueRecord {
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        spec.encode(into: &writer)
        writer.put(isPaused)
        writer.put(isDeclared)
        for tag in virtualTimes { writer.put(tag) }
        bucket?.encode(into: &writer)
        breaker.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(name: try reader.name("queue"))
        spec = try QueueSpec(from: &reader)
        isPaused = try reader.bool()
        isDeclared = try reader.bool()
        for priority in virtualTimes.indices { virtualTimes[priority] = try reader.tag() }
        if let rate = spec.rate { bucket = try TokenBucket(rate, from: &reader) }
        breaker = try Breaker(from: &reader)
    }
}

extension ByteReader {
    /// Tags rise by one with each task, so one that could overflow is damaged.
    fileprivate mutating func tag() throws(CodecError) -> UInt64 {
        let tag = try uint64()
        guard tag < 1 << 62 else { throw CodecError("\(tag) is not a plausible tag") }
        return tag
    }
}

extension KeyLog.Entry {
    func encode(into writer: inout ByteWriter) {
        writer.put(key.high)
        writer.put(key.low)
        writer.put(task.number)
        writer.put(fingerprint)
        writer.put(rememberedAt)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let high = try reader.uint64()
        key = KeyHash(high: high, low: try reader.uint64())
        task = TaskID(try reader.uint64())
        fingerprint = try reader.uint64()
        rememberedAt = try reader.instant("submission")
    }
}

extension WorkerTable.Slot {
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(record != nil)
        guard let record else { return }
        record.spec(id: name).encode(into: &writer)
        writer.put(record.state.rawValue)
        writer.put(record.lostAt)
        record.attachments.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.name("worker")
        references = 0
        guard try reader.bool() else { return }
        let spec = try WorkerSpec(from: &reader)
        let byte = try reader.byte()
        guard let state = WorkerView.State(rawValue: byte) else {
            throw CodecError("\(byte) is not a worker's state")
        }
        let lostAt = try reader.instant("loss")
        record = WorkerRecord(
            spec, state: state, lostAt: lostAt, attachments: try [Attachment](from: &reader))
    }
}

extension Outcome {
    func encode(into writer: inout ByteWriter) {
        switch self {
        case .done: writer.put(UInt8(0))
        case .task(let task, let existed):
            writer.put(UInt8(1))
            writer.put(task.number)
            writer.put(existed)
        case .schedule(let revision, let existed):
            writer.put(UInt8(2))
            writer.put(revision)
            writer.put(existed)
        case .rejected(let rejection):
            writer.put(UInt8(3))
            writer.put(rejection.rawValue)
        case .session(let session):
            writer.put(UInt8(50))
            writer.put(session)
        case .bulkJob(let job, let existed):
            writer.put(UInt8(61))
            writer.put(job.number)
            writer.put(existed)
        case .put(let existed):
            writer.put(UInt8(75))
            writer.put(existed)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.byte() {
        case 0: self = .done
        case 1:
            let task = TaskID(try reader.uint64())
            self = .task(task, existed: try reader.bool())
        case 2:
            let revision = try reader.uint64()
            self = .schedule(revision: revision, existed: try reader.bool())
        case 3:
            let byte = try reader.byte()
            guard let rejection = Rejection(rawValue: byte) else {
                throw CodecError("\(byte) is not a rejection")
            }
            self = .rejected(rejection)
        case 50: self = .session(try reader.uint64())
        case 61:
            let job = BulkJobID(try reader.uint64())
            self = .bulkJob(job, existed: try reader.bool())
        case 75: self = .put(existed: try reader.bool())
        case let other: throw CodecError("\(other) is not an outcome")
        }
    }
}
