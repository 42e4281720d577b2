extension Event {
    /// Mixes in what tells one event from another. What an assignment repeats of the state is left out.
    func mix(into hash: inout StableHash) {
        switch self {
        case .outcome(let origin, let incarnation, let sequence, let outcome):
            hash.mix(1)
            hash.mix(origin)
            hash.mix(incarnation)
            hash.mix(sequence)
            outcome.mix(into: &hash)
        case .assigned(let assignment):
            hash.mix(2)
            hash.mix(assignment.worker)
            hash.mix(assignment.incarnation)
            hash.mix(assignment.task.number)
            hash.mix(UInt64(assignment.attempt))
            hash.mix(assignment.fence)
            hash.mix(UInt64(bitPattern: assignment.scheduledAt))
        case .revoked(let worker, let incarnation, let task, let attempt):
            hash.mix(3)
            hash.mix(worker)
            hash.mix(incarnation)
            hash.mix(task.number)
            hash.mix(UInt64(attempt))
        case .taskChanged(let task, let state):
            hash.mix(4)
            hash.mix(task.number)
            hash.mix(UInt64(state.rawValue))
        case .scheduleFired(let schedule, let nominal, let task):
            hash.mix(5)
            hash.mix(schedule)
            hash.mix(UInt64(bitPattern: nominal))
            hash.mix(task.number)
        case .workerChanged(let id):
            hash.mix(6)
            hash.mix(id)
        case .occurrencesPassed(let schedule, let nominal, let count, let end, let reason):
            hash.mix(7)
            hash.mix(schedule)
            hash.mix(UInt64(bitPattern: nominal))
            hash.mix(UInt64(count) << 16 | UInt64(end.rawValue) << 8 | UInt64(reason.rawValue))
        case .queueChanged(let name):
            hash.mix(8)
            hash.mix(name)
        }
    }
}

extension Outcome {
    func mix(into hash: inout StableHash) {
        switch self {
        case .done: hash.mix(1)
        case .task(let task, let existed):
            hash.mix(existed ? 2 : 3)
            hash.mix(task.number)
        case .schedule(let revision, let existed):
            hash.mix(existed ? 4 : 5)
            hash.mix(revision)
        case .session(let session):
            hash.mix(6)
            hash.mix(session)
        case .bulkJob(let job, let existed):
            hash.mix(existed ? 7 : 8)
            hash.mix(job.number)
        case .put(let existed): hash.mix(existed ? 9 : 10)
        case .rejected(let rejection): hash.mix(16 + UInt64(rejection.rawValue))
        }
    }
}
