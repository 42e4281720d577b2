/// The state at one log index, cheap to take and written out on another thread while the state machine goes on.
///
/// ```
/// snapshot  version u8 = 2 · time i64 · appliedIndex u64 · digest u64 · nextTask u64 · nextRevision u64
///           · roster · namespaces · templates · queues · profiles · workers · sessions · keys · schedules · endings · jobs
///           · key buckets · group gates · retention · tasks
/// group gates count u32 · (group u64 · gate u64)…, by group
/// namespaces count u32 · (inUse bool · namespace if in use)… · free (count u32 · number u32…)
/// templates count u32 · template…, by name
/// queues    count u32 · (inUse bool · queue if in use)… · free (count u32 · number u32…)
/// profiles  count u32 · (inUse bool · profile blob if in use)… · free (count u32 · number u32…)
/// workers   count u32 · (inUse bool · (name string · hasRecord bool · [worker spec · state u8 · lostAt i64 · attachments, see `Attachment`]))…
///           · free (count u32 · number u32…)
/// sessions  count u32 · (origin string · incarnation u64 · acknowledgedBelow u64
///           · count u32 · (sequence u64 · outcome)…)…
/// outcome   u8: 0 done | 1 task · u64 · existed bool | 2 schedule · revision u64 · existed bool | 3 rejected · u8
///           | 50 session · u64 | 61 bulk job · u64 · existed bool
/// keys      count u32 · (hash high u64 · low u64 · task u64 · fingerprint u64 · rememberedAt i64)…
/// schedules count u32 · schedule…, by name
/// endings   count u32 · ending…, in their order (see `Ending`)
/// jobs      see `BulkJobTable`
/// key buckets: see `KeyBucketTable`; retention: see `Retention`
/// tasks     count u64 · task…, by id
/// ```
/// Equal states have equal bytes. References are counted anew when a snapshot is loaded. Checksums are the
/// concern of whoever stores the bytes; damaged ones are refused with a reason, never trapped on.
public struct SchedulerSnapshot: Sendable {
    static let version: UInt8 = 2
    private static let pieceBytes = 1 << 20

    let state: ReplicatedState

    public var appliedIndex: UInt64 { state.appliedIndex }

    /// The whole snapshot in one array; `write` needs less memory.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        write { piece in
            // A small state is one piece, which is taken as it is.
            if bytes.isEmpty { bytes = piece } else { bytes.append(contentsOf: piece) }
        }
        return bytes
    }

    /// Hands out the snapshot in pieces of about 1 MiB.
    public func write<Failure: Error>(
        _ sink: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = ByteWriter(capacity: 64 << 10)
        encodeHead(into: &writer)
        if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        encodeSessions(into: &writer)
        if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        writer.put(UInt32(state.keys.count))
        for place in state.keys.start..<state.keys.end {
            state.keys[place].encode(into: &writer)
            if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        }
        writer.put(UInt32(state.schedules.count))
        for page in state.schedules.pages {
            for record in page { record.encode(into: &writer) }
            if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        }
        writer.put(UInt32(state.endings.waiting.count))
        for ending in state.endings.waiting {
            ending.encode(into: &writer)
            if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        }
        state.jobs.encode(into: &writer)
        state.keyBuckets.encode(into: &writer)
        writer.put(UInt32(state.groupGates.count))
        for group in state.groupGates.keys.sorted() {
            guard let gate = state.groupGates[group] else { continue }
            writer.put(group)
            writer.put(gate)
            if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        }
        state.retention.encode(into: &writer)
        if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
        writer.put(UInt64(state.tasks.count))
        for (number, chunk) in zip(state.tasks.numbers, state.tasks.chunks) {
            // By a span, in which nothing is copied, and so nothing counted.
            let records = chunk.records.span
            for (slot, row) in chunk.places {
                records[row].encode(number << 8 + UInt64(slot), among: state.tasks, into: &writer)
                if writer.count >= Self.pieceBytes { try flush(&writer, into: sink) }
            }
        }
        try sink(writer.bytes)
    }

    private func flush<Failure: Error>(
        _ writer: inout ByteWriter, into sink: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        try sink(writer.bytes)
        writer.removeAll()
    }

    private func encodeHead(into writer: inout ByteWriter) {
        writer.put(Self.version)
        writer.put(state.time)
        writer.put(state.appliedIndex)
        writer.put(state.digest)
        writer.put(state.nextTask)
        writer.put(state.nextRevision)
        state.roster.encode(into: &writer)
        state.namespaces.encode(into: &writer)
        state.templates.encode(into: &writer)
        writer.put(UInt32(state.queues.slots.count))
        for number in 0..<state.queues.slots.count {
            let record = state.queues.slots[number].record
            writer.put(record != nil)
            record?.encode(into: &writer)
        }
        encode(state.queues.free, into: &writer)
        writer.put(UInt32(state.profiles.slots.count))
        for number in 0..<state.profiles.slots.count {
            let profile = state.profiles.slots[number].profile
            writer.put(profile != nil)
            if let profile { writer.put(profile.bytes) }
        }
        encode(state.profiles.free, into: &writer)
        writer.put(UInt32(state.workers.slots.count))
        for number in 0..<state.workers.slots.count {
            let slot = state.workers.slots[number]
            writer.put(slot.references > 0)
            if slot.references > 0 { slot.encode(into: &writer) }
        }
        encode(state.workers.free, into: &writer)
    }

    private func encode(_ free: [UInt32], into writer: inout ByteWriter) {
        writer.put(UInt32(free.count))
        for number in free { writer.put(number) }
    }

    private func encodeSessions(into writer: inout ByteWriter) {
        writer.put(UInt32(state.sessions.count))
        for session in state.sessions {
            writer.put(session.origin)
            writer.put(session.incarnation)
            writer.put(session.acknowledgedBelow)
            writer.put(UInt32(session.count))
            for remembered in session.remembered {
                writer.put(remembered.sequence)
                remembered.outcome.encode(into: &writer)
            }
        }
    }
}

extension Scheduler {
    /// Costs a few thousand references, whatever the size of the state; what is changed afterwards is copied bit
    /// by bit.
    public func snapshotCopy() -> SchedulerSnapshot { SchedulerSnapshot(state: state) }

    /// The whole state as bytes.
    public func encodeSnapshot() -> [UInt8] { snapshotCopy().encoded() }

    /// A hash over the whole snapshot: for tests, it takes long.
    public func stateHash() -> UInt64 {
        var hash = StableHash()
        snapshotCopy().write { hash.mix($0) }
        return hash.digest
    }
}
