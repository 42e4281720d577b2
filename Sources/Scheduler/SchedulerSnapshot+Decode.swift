/// From a snapshot's bytes back to the state, and from the state to everything that is derived from it.
extension Scheduler {
    /// Throws if the bytes are damaged or were written by a newer version.
    public init(snapshot bytes: [UInt8]) throws(CodecError) {
        try self.init(snapshot: bytes, capacity: Capacity())
    }

    init(snapshot bytes: [UInt8], capacity: Capacity) throws(CodecError) {
        self.init(capacity: capacity)
        var reader = ByteReader(bytes)
        try decodeHead(&reader)
        try decodeQueues(&reader)
        try decodeProfiles(&reader)
        try decodeWorkers(&reader)
        try decodeSessions(&reader)
        try decodeKeys(&reader)
        try decodeSchedules(&reader)
        try decodeEndings(&reader)
        state.jobs = try BulkJobTable(from: &reader)
        try decodeKeyBuckets(&reader)
        let gates = try decodeGroupGates(&reader)
        state.retention = try Retention(from: &reader)
        try decodeTasks(&reader)
        try placeGroups(at: gates)
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind the last task")
        }
        try checkReferences()
        settle()
    }

    private mutating func decodeHead(_ reader: inout ByteReader) throws(CodecError) {
        let version = try reader.byte()
        guard version == SchedulerSnapshot.version else {
            throw CodecError("snapshot version \(version) is not known to this program")
        }
        state.time = try reader.instant("time")
        state.appliedIndex = try reader.uint64()
        state.digest = try reader.uint64()
        state.nextTask = try reader.uint64()
        state.nextRevision = try reader.uint64()
        guard max(state.nextTask, state.nextRevision, state.appliedIndex) < 1 << 62 else {
            throw CodecError("a counter of the state is not plausible")
        }
        state.roster = try Roster(from: &reader)
        try decodeNamespaces(&reader)
        state.templates = try TemplateTable(from: &reader)
        for template in state.templates.records { try checkNamespace(of: template.name) }
    }

    private mutating func decodeNamespaces(_ reader: inout ByteReader) throws(CodecError) {
        state.namespaces = try NamespaceTable(from: &reader)
        for (number, record) in state.namespaces.slots.enumerated() {
            guard let record else { continue }
            guard number == 0 || index.namespaceNumbers[record.name] == nil else {
                throw CodecError("namespace \(record.name) is there twice")
            }
            noteNamespace(record, UInt32(number))
            noteRetention(UInt32(number))
        }
    }

    private func checkNamespace(of name: String) throws(CodecError) {
        guard index.namespaceNumbers[Namespace(of: name).name] != nil else {
            throw CodecError("\(name) is in a namespace that is not there")
        }
    }

    private mutating func decodeQueues(_ reader: inout ByteReader) throws(CodecError) {
        var slots = Buckets<QueueTable.Slot>()
        let count = try reader.count()
        for number in 0..<count {
            let record = try reader.bool() ? QueueRecord(from: &reader) : nil
            slots.append(QueueTable.Slot(record: record, references: 0))
            guard let record else { continue }
            guard index.queueNumbers[record.name] == nil else {
                throw CodecError("queue \(record.name) is there twice")
            }
            try checkNamespace(of: record.name)
            noteQueue(record, UInt32(number))
            noteOpening(record, UInt32(number))
        }
        let free = try decodeFree(&reader, count) { slots[$0].record == nil }
        state.queues = QueueTable(slots: slots, free: free)
    }

    private mutating func decodeProfiles(_ reader: inout ByteReader) throws(CodecError) {
        var slots = Buckets<ProfileTable.Slot>()
        let count = try reader.count()
        for _ in 0..<count {
            let profile = try reader.bool() ? Profile(decoding: try reader.blob()) : nil
            slots.append(ProfileTable.Slot(profile: profile, references: 0))
        }
        let free = try decodeFree(&reader, count) { slots[$0].profile == nil }
        state.profiles = ProfileTable(slots: slots, free: free)
        for number in 0..<count {
            guard let profile = slots[number].profile else { continue }
            guard profileNumber(profile.bytes, 0..<profile.bytes.count) == nil else {
                throw CodecError("a profile is there twice")
            }
            guard let queue = index.queueNumbers[profile.queue] else {
                throw CodecError("a profile names a queue that is not there")
            }
            noteProfile(profile, UInt32(number), queue: queue)
        }
    }

    private mutating func decodeWorkers(_ reader: inout ByteReader) throws(CodecError) {
        var slots = Buckets<WorkerTable.Slot>()
        let count = try reader.count()
        for number in 0..<count {
            guard try reader.bool() else {
                slots.append(WorkerTable.Slot(name: "", references: 0, record: nil))
                continue
            }
            var slot = try WorkerTable.Slot(from: &reader)
            if let record = slot.record {
                slot.references = 1
                index.knownWorkers.append(UInt32(number))
                if record.state == .live {
                    index.dispatch.join(UInt32(number), name: slot.name, record)
                }
            }
            guard index.workerNumbers.updateValue(UInt32(number), forKey: slot.name) == nil else {
                throw CodecError("worker \(slot.name) is there twice")
            }
            slots.append(slot)
        }
        let free = try decodeFree(&reader, count) { slots[$0].name.isEmpty }
        state.workers = WorkerTable(slots: slots, free: free)
        for number in index.knownWorkers {
            guard let record = state.workers.record(number), record.state == .lost else { continue }
            index.wakes.push(.worker, at: state.forgetTime(record), id: UInt64(number))
        }
    }

    private func decodeFree(
        _ reader: inout ByteReader, _ count: Int, isFree: (Int) -> Bool
    ) throws(CodecError) -> [UInt32] {
        let freeCount = try reader.count(minimumBytes: 4)
        var isListed = [Bool](repeating: false, count: count)
        var free: [UInt32] = []
        for _ in 0..<freeCount {
            let number = Int(try reader.uint32())
            guard number < count, isFree(number), !isListed[number] else {
                throw CodecError("\(number) is not a free number")
            }
            isListed[number] = true
            free.append(UInt32(number))
        }
        guard (0..<count).allSatisfy({ isListed[$0] == isFree($0) }) else {
            throw CodecError("a free number is not listed")
        }
        return free
    }

    private mutating func decodeSessions(_ reader: inout ByteReader) throws(CodecError) {
        for _ in 0..<(try reader.count(minimumBytes: 24)) {
            let origin = try reader.name("origin")
            let incarnation = try reader.uint64()
            let acknowledgedBelow = try reader.uint64()
            var remembered: [Session.Remembered] = []
            for _ in 0..<(try reader.count(minimumBytes: 9)) {
                let sequence = try reader.uint64()
                let isNext = remembered.last.map { $0.sequence < sequence } ?? true
                guard isNext, sequence >= acknowledgedBelow else {
                    throw CodecError("outcomes are not in the order of their sequences")
                }
                remembered.append(
                    Session.Remembered(sequence: sequence, outcome: try Outcome(from: &reader)))
            }
            guard state.sessions.last.map({ isBefore($0.origin, origin) }) ?? true else {
                throw CodecError("origins are not in order")
            }
            state.sessions.append(
                Session(
                    origin: origin, incarnation: incarnation,
                    acknowledgedBelow: acknowledgedBelow, remembered: remembered))
        }
    }

    private mutating func decodeKeys(_ reader: inout ByteReader) throws(CodecError) {
        var last: UInt64 = 0
        for _ in 0..<(try reader.count(minimumBytes: 40)) {
            let entry = try KeyLog.Entry(from: &reader)
            guard entry.task.number > last, entry.task.number < state.nextTask,
                index.keys[entry.key] == nil
            else { throw CodecError("keys are not in the order of their tasks") }
            last = entry.task.number
            index.keys[entry.key] = state.keys.append(entry)
        }
    }

    private mutating func decodeSchedules(_ reader: inout ByteReader) throws(CodecError) {
        var last: String?
        for _ in 0..<(try reader.count(minimumBytes: 64)) {
            let record = try ScheduleRecord(from: &reader)
            guard last.map({ $0 < record.name }) ?? true, record.revision < state.nextRevision,
                index.scheduleNames[record.revision] == nil
            else { throw CodecError("schedules are not in order") }
            try checkNamespace(of: record.name)
            last = record.name
            state.schedules.insert(record)
            noteSchedule(record)
            if record.backfill?.state == .running { index.backfills.insert(record.name) }
        }
    }

    private mutating func decodeEndings(_ reader: inout ByteReader) throws(CodecError) {
        for _ in 0..<(try reader.count(minimumBytes: 14)) {
            state.endings.append(try Ending(from: &reader))
        }
    }

    private mutating func decodeKeyBuckets(_ reader: inout ByteReader) throws(CodecError) {
        state.keyBuckets = try KeyBucketTable(from: &reader)
        for gate in state.keyBuckets.gates {
            guard let entry = state.keyBuckets[gate] else { continue }
            guard entry.queue < state.queues.slots.count,
                state.queues.slots[Int(entry.queue)].record != nil
            else { throw CodecError("a bucket belongs to a queue that is not there") }
            index.wakes.push(.key, at: entry.wakeAt, id: gate)
        }
    }

    private func decodeGroupGates(
        _ reader: inout ByteReader
    ) throws(CodecError) -> [UInt64: UInt64] {
        var gates: [UInt64: UInt64] = [:]
        var last: UInt64?
        for _ in 0..<(try reader.count(minimumBytes: 16)) {
            let group = try reader.uint64()
            guard last.map({ $0 < group }) ?? true else {
                throw CodecError("groups of tasks are not in order")
            }
            last = group
            gates[group] = try reader.uint64()
        }
        return gates
    }

    private mutating func decodeTasks(_ reader: inout ByteReader) throws(CodecError) {
        let count = try reader.uint64()
        var last: UInt64 = 0
        for _ in 0..<count {
            let id = try reader.uint64()
            let record = try TaskRecord(from: &reader, among: state.tasks)
            guard id > last, id < state.nextTask else { throw CodecError("tasks are not in order") }
            last = id
            try add(TaskID(id), record)
            noteCached(TaskID(id), record)
        }
        index.dispatch.sortFlows()
    }

    private mutating func add(_ id: TaskID, _ record: TaskRecord) throws(CodecError) {
        guard record.profile < state.profiles.slots.count,
            state.profiles.slots[Int(record.profile)].profile != nil
        else { throw CodecError("\(id) has a profile that is not there") }
        state.profiles.retain(record.profile)
        if record.attempt > 0 {
            guard record.worker < state.workers.slots.count,
                !state.workers.name(record.worker).isEmpty
            else { throw CodecError("\(id) names a worker that is not there") }
            state.workers.retain(record.worker)
        }
        let position = state.tasks.append(id, record)
        index.counts[Int(record.state.rawValue)] += 1
        if !record.state.isFinal { noteUnfinished(id, record) }
        noteOccurrence(record)
        count(record.profile, from: nil, to: record.state)
        if record.state == .running {
            guard let worker = state.workers.record(record.worker), worker.state != .lost else {
                throw CodecError("\(id) runs on a worker that is not there")
            }
            index.dispatch.occupy(record.worker, id)
        } else if record.state == .ready {
            noteWaiting(id, at: position)
        }
        if let last = record.extra?.fields.dependencies?.edges.last, last.task >= id {
            throw CodecError("\(id) waits for a later task")
        }
        if record.state == .blocked {
            for key in record.awaited { index.dependents.add(id, to: key) }
        }
        if record.isKeyed, record.state == .ready || record.state == .running {
            holdKeys(id, at: position)
        }
        for reason in Wakes.Reason.allCases {
            guard let wake = state.wakeTime(reason, record) else { continue }
            index.wakes.push(reason, at: wake, id: id.number)
            if record.state.isFinal { noteKept(id, record, reason, wake) }
        }
    }

    /// What nothing refers to would never be freed.
    private func checkReferences() throws(CodecError) {
        for number in state.namespaces.slots.indices
        where state.namespaces.slots[number] != nil && isUnused(UInt32(number)) {
            throw CodecError("namespace \(number) has nothing in it")
        }
        for number in 0..<state.queues.slots.count {
            let slot = state.queues.slots[number]
            guard slot.record?.isDeclared ?? true || slot.references > 0 else {
                throw CodecError("queue \(number) belongs to no task")
            }
        }
        for number in 0..<state.profiles.slots.count {
            let slot = state.profiles.slots[number]
            guard slot.profile == nil || slot.references > 0 else {
                throw CodecError("profile \(number) belongs to no task")
            }
        }
        for number in 0..<state.workers.slots.count {
            let slot = state.workers.slots[number]
            guard slot.name.isEmpty || slot.references > 0 else {
                throw CodecError("worker \(number) is named by no task")
            }
        }
    }
}
