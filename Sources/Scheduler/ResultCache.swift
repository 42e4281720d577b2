/// Results that answer tasks of the same handler and payload: those of succeeded tasks with a `cache` that ran themselves
/// and are kept. Derived from the tasks and nothing else, so it is the same whether it has grown with the log or was made
/// from a snapshot.
///
/// Only an answer by the handler itself counts: one that came from here would keep itself alive for ever.
struct ResultCache: Sendable {
    private struct Entry {
        let finishedAt: Milliseconds
        let task: TaskID

        func isBefore(_ other: Entry) -> Bool {
            finishedAt != other.finishedAt ? finishedAt < other.finishedAt : task < other.task
        }
    }

    /// Of each key by end and id, the newest last.
    private var entries = Shards<KeyHash, [Entry]>()
    /// By the task whose result is in a store: how many others were answered with it.
    private var sharers = Shards<TaskID, Int>()

    func newest(_ key: KeyHash) -> (task: TaskID, finishedAt: Milliseconds)? {
        entries[key]?.last.map { ($0.task, $0.finishedAt) }
    }

    mutating func insert(_ key: KeyHash, _ task: TaskID, finishedAt: Milliseconds) {
        let entry = Entry(finishedAt: finishedAt, task: task)
        var place = entries[key]?.count ?? 0
        while place > 0, let before = entries[key]?[place - 1], entry.isBefore(before) {
            place -= 1
        }
        entries[key, default: []].insert(entry, at: place)
    }

    mutating func remove(_ key: KeyHash, _ task: TaskID) {
        guard let place = entries[key]?.firstIndex(where: { $0.task == task }) else { return }
        entries[key]?.remove(at: place)
        if entries[key]?.isEmpty ?? false { entries[key] = nil }
    }

    /// Whether a task was answered with this one's stored result, and is kept.
    func isShared(_ task: TaskID) -> Bool { sharers[task] != nil }

    mutating func share(_ task: TaskID) { sharers[task, default: 0] += 1 }

    mutating func unshare(_ task: TaskID) {
        guard let count = sharers[task] else { return }
        sharers[task] = count == 1 ? nil : count - 1
    }
}

extension Scheduler {
    /// Answers a new task that is due with an earlier result, if there is one that is not too old. True if the task has
    /// ended by that.
    mutating func answerFromCache(
        _ id: TaskID, at position: TaskTable.Position, _ events: inout [Event]
    ) -> Bool {
        let record = state.tasks[position]
        guard record.dueAt <= state.time,
            let age = state.profiles[record.profile].cacheMilliseconds,
            let newest = index.cache.newest(cacheKey(record)),
            newest.finishedAt + age >= state.time,
            let source = state.tasks.position(of: newest.task),
            state.tasks[source].handedOver != nil
        else { return false }
        let stored = state.tasks[source].extra?.fields.stored
        state.tasks[position].result = state.tasks[source].result
        state.tasks[position].changeExtra { fields in
            fields.stored = stored
            fields.cachedFrom = newest.task
        }
        noteShared(state.tasks[position])
        complete(id, at: position, .succeeded, &events)
        return true
    }

    /// The task succeeds now, by its handler.
    mutating func noteCacheable(_ id: TaskID, _ record: TaskRecord, finishedAt: Milliseconds) {
        guard isCacheable(record) else { return }
        index.cache.insert(cacheKey(record), id, finishedAt: finishedAt)
    }

    /// A task from a snapshot.
    mutating func noteCached(_ id: TaskID, _ record: TaskRecord) {
        guard record.state == .succeeded else { return }
        if record.extra?.fields.cachedFrom == nil {
            noteCacheable(id, record, finishedAt: record.finishedAt)
        } else {
            noteShared(record)
        }
    }

    /// The task is dropped.
    mutating func forgetCached(_ id: TaskID, _ record: TaskRecord) {
        guard record.state == .succeeded else { return }
        if record.extra?.fields.cachedFrom == nil {
            if isCacheable(record) { index.cache.remove(cacheKey(record), id) }
        } else if let stored = record.extra?.fields.stored {
            index.cache.unshare(stored.task)
        }
    }

    private mutating func noteShared(_ record: TaskRecord) {
        if let stored = record.extra?.fields.stored { index.cache.share(stored.task) }
    }

    /// What a task got from others is not in its payload, so its payload does not say what it came to.
    private func isCacheable(_ record: TaskRecord) -> Bool {
        state.profiles[record.profile].cacheMilliseconds != nil
            && record.extra?.fields.dependencies == nil
    }

    private func cacheKey(_ record: TaskRecord) -> KeyHash {
        var writer = ByteWriter(capacity: record.payload.count + 64)
        let profile = state.profiles[record.profile]
        // What one tenant's task came to is nothing that another one's may be answered with.
        writer.put(Namespace(of: profile.queue).name)
        writer.put(profile.handler)
        writer.putRaw(record.payload)
        return KeyHash(writer.bytes, 0..<writer.count)
    }
}
