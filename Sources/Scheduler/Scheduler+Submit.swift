/// How tasks come to be.
extension Scheduler {
    /// Throws, before anything is changed, if the bytes are damaged or a value is over its limit.
    mutating func submit(
        from reader: inout ByteReader, _ events: inout [Event]
    ) throws(CodecError) -> Outcome {
        let layout = try SpecLayout(from: &reader)
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind a task")
        }
        let bytes = reader.bytes
        let dueAt = try dueTime(layout.start)
        var fields = layout.hasRareFields ? try layout.rareFields(in: bytes) : nil
        let known = profileNumber(bytes, layout.profile)
        if let known { index.lastProfile = known }
        let profile =
            if let known { state.profiles[known] } else {
                try Profile(decoding: Array(bytes[layout.profile]))
            }
        let queue =
            known.map { index.dispatch.queue(ofProfile: $0) } ?? index.queueNumbers[profile.queue]
        var remembered: KeyLog.Entry?
        if let key = layout.key {
            let hash = keyHash(bytes, key, Namespace(of: profile.queue))
            let fingerprint = fingerprint(profile.handler, bytes, layout.payload)
            if let place = index.keys[hash] {
                let entry = state.keys[place]
                guard entry.fingerprint == fingerprint else { return .rejected(.keyConflict) }
                return .task(entry.task, existed: true)
            }
            guard state.keys.count < capacity.keys else { return .rejected(.full) }
            remembered = KeyLog.Entry(
                key: hash, task: TaskID(state.nextTask), fingerprint: fingerprint,
                rememberedAt: state.time)
        }
        if var dependencies = fields?.dependencies {
            guard resolve(&dependencies, in: Namespace(of: profile.queue)) else {
                return .rejected(.missingDependency)
            }
            fields?.dependencies = dependencies
        }
        if let refusal = admit(1, to: queue, named: profile.queue) { return .rejected(refusal) }
        if let remembered { index.keys[remembered.key] = state.keys.append(remembered) }
        let record = TaskRecord(
            payload: Array(bytes[layout.payload]), extra: fields.map(TaskExtra.init),
            dueAt: dueAt, createdAt: state.time, profile: known ?? intern(profile),
            state: .scheduled, priority: layout.priority)
        return .task(create(record, &events), existed: false)
    }

    func dueTime(_ start: TaskSpec.Start) throws(CodecError) -> Milliseconds {
        switch start {
        case .now: return state.time
        case .after(let milliseconds): return min(state.time + milliseconds, Limits.maxTime)
        case .at(let instant):
            guard instant - state.time <= Limits.maxDelayMilliseconds else {
                throw CodecError("a start at \(instant) is too far away")
            }
            return max(instant, state.time)
        }
    }

    private func fingerprint(
        _ handler: String, _ bytes: [UInt8], _ payload: Range<Int>
    ) -> UInt64 {
        var hash = StableHash()
        hash.mix(handler)
        hash.mix(bytes, payload)
        return hash.digest
    }

    /// Puts a new task into the table and on its way. There is room for it.
    mutating func create(_ record: TaskRecord, _ events: inout [Event]) -> TaskID {
        let id = TaskID(state.nextTask)
        state.nextTask += 1
        var record = record
        takeKeys(&record)
        state.profiles.retain(record.profile)
        let position = state.tasks.append(id, record)
        index.counts[Int(record.state.rawValue)] += 1
        count(record.profile, from: nil, to: record.state)
        noteUnfinished(id, record)
        noteOccurrence(record)
        begin(id, at: position, &events)
        return id
    }

    /// Waits until it is due.
    mutating func schedule(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) {
        setState(.scheduled, id, at: position, &events)
        index.wakes.push(.due, at: state.tasks[position].dueAt, id: id.number)
    }

    /// Drops the task and all that it alone refers to.
    mutating func remove(_ id: TaskID) {
        guard let position = state.tasks.position(of: id) else { return }
        let record = state.tasks[position]
        noteDrop(id, record)
        forgetCached(id, record)
        forgetOccurrence(record)
        state.tasks.remove(id)
        index.counts[Int(record.state.rawValue)] -= 1
        count(record.profile, from: record.state, to: nil)
        if record.worker != TaskRecord.noWorker { releaseWorkerName(record.worker) }
        guard let profile = state.profiles.release(record.profile) else { return }
        forgetProfile(profile, record.profile)
    }

    // MARK: Profiles

    /// The number of the profile with these very bytes, if there is one.
    func profileNumber(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32? {
        if let last = index.lastProfile, hasBytes(last, bytes, range) { return last }
        var hash = StableHash()
        hash.mix(bytes, range)
        return index.profileNumbers[hash.digest]?.first { hasBytes($0, bytes, range) }
    }

    private func hasBytes(_ number: UInt32, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        let own = state.profiles[number].bytes
        guard own.count == range.count else { return false }
        return own.withUnsafeBytes { left in
            bytes.withUnsafeBytes { right in
                var offset = 0
                while offset + 8 <= left.count {
                    let word = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    let other = right.loadUnaligned(
                        fromByteOffset: range.lowerBound + offset, as: UInt64.self)
                    guard word == other else { return false }
                    offset += 8
                }
                while offset < left.count {
                    guard left[offset] == right[range.lowerBound + offset] else { return false }
                    offset += 1
                }
                return true
            }
        }
    }

    /// Gives a new profile its number.
    mutating func intern(_ profile: Profile) -> UInt32 {
        let number = state.profiles.insert(profile)
        noteProfile(profile, number, queue: queueNumber(profile.queue))
        return number
    }

    mutating func noteProfile(_ profile: Profile, _ number: UInt32, queue: UInt32) {
        state.queues.retain(queue)
        var hash = StableHash()
        hash.mix(profile.bytes)
        index.profileNumbers[hash.digest, default: []].append(number)
        index.dispatch.add(profile, number: number, queue: queue)
        index.lastProfile = number
    }

    private mutating func forgetProfile(_ profile: Profile, _ number: UInt32) {
        var hash = StableHash()
        hash.mix(profile.bytes)
        let digest = hash.digest
        index.profileNumbers[digest]?.removeAll { $0 == number }
        if index.profileNumbers[digest]?.isEmpty ?? false { index.profileNumbers[digest] = nil }
        let queue = index.dispatch.queue(ofProfile: number)
        index.dispatch.remove(profile: number)
        if index.lastProfile == number { index.lastProfile = nil }
        releaseQueue(queue)
    }
}
