/// Bulk actions: jobs of the log, which go on in portions while an `advance` follows the other (`nextWake` asks for them).
/// So none holds the loop for long, each survives whoever leads, and everybody sees how far it is.
///
/// A job meets the tasks that were there when it began, newest first, each once.
extension Scheduler {
    mutating func beginBulkJob(_ spec: BulkSpec) -> Outcome {
        if let key = spec.key, let place = state.jobs.place(ofKey: key, in: spec.namespace) {
            let known = state.jobs[place]
            guard known.spec.bytes == spec.bytes else { return .rejected(.keyConflict) }
            return .bulkJob(BulkJobID(known.number), existed: true)
        }
        guard state.jobs.runningCount < Limits.maxRunningBulkJobs else {
            return .rejected(.tooManyBulkJobs)
        }
        let job = BulkJob(
            number: state.jobs.next, spec, createdAt: state.time,
            begin: state.tasks.numbers.first.map { $0 << 8 } ?? state.nextTask,
            end: state.nextTask)
        state.jobs.append(job)
        return .bulkJob(BulkJobID(job.number), existed: false)
    }

    /// What it has done stays done.
    mutating func stopBulkJob(_ id: BulkJobID) -> Outcome {
        guard let place = state.jobs.place(of: id.number) else { return .rejected(.notFound) }
        guard state.jobs[place].state == .running else { return .rejected(.wrongState) }
        var job = state.jobs[place]
        job.state = .stopped
        job.finishedAt = state.time
        state.jobs.replace(place, job)
        return .done
    }

    /// One portion for all of them together, the first one first.
    mutating func advanceBulkJobs(_ events: inout [Event]) {
        var looks = capacity.bulkLooksPerEntry
        var actions = capacity.bulkActionsPerEntry
        while looks > 0, actions > 0, let place = state.jobs.firstRunning {
            var job = state.jobs[place]
            advance(&job, &looks, &actions, &events)
            state.jobs.replace(place, job)
        }
    }

    private mutating func advance(
        _ job: inout BulkJob, _ looks: inout Int, _ actions: inout Int, _ events: inout [Event]
    ) {
        var matcher = TaskMatcher(job.filter, in: state)
        let limit = Int(min(UInt64(actions), job.rest))
        let found = state.find(&matcher, below: job.cursor, limit: limit, &looks)
        for (id, _) in found.tasks {
            // One of those before may have changed it: a slot got free, or it was one too many of its kind.
            var unlimited = Int.max
            guard let record = state.tasks.position(of: id).map({ state.tasks[$0] }),
                matcher.matches(id.number, record, in: state, &unlimited)
            else { continue }
            actions -= 1
            guard perform(job.spec.action, id, &events) else { continue }
            job.met += 1
        }
        job.cursor = found.next ?? 0
        let isAtLimit = job.rest == 0
        guard found.next == nil || isAtLimit else { return }
        if !job.isLastPass, !isAtLimit {
            job.isLastPass = true
            job.cursor = job.end
        } else {
            job.state = .done
            job.finishedAt = state.time
        }
    }

    private mutating func perform(
        _ action: BulkSpec.Action, _ id: TaskID, _ events: inout [Event]
    ) -> Bool {
        let outcome =
            switch action {
            case .cancel: cancel(id, &events)
            case .retry: retry(id, &events)
            case .delete: deleteTask(id)
            }
        return outcome == .done
    }

    // MARK: Reads

    /// nil: there is none, or it ended long ago.
    public func bulkJob(_ id: BulkJobID) -> BulkJobView? {
        state.jobs.place(of: id.number).map { view(state.jobs[$0]) }
    }

    /// Those that go on, and the last ones that have ended, newest first; nil: of all namespaces.
    public func bulkJobs(in namespace: Namespace? = nil) -> [BulkJobView] {
        state.jobs.jobs.reversed()
            .filter { namespace == nil || $0.spec.namespace == namespace }
            .map(view)
    }

    private func view(_ job: BulkJob) -> BulkJobView {
        let shown: BulkJobView.State =
            switch job.state {
            case .running: .running
            case .done: .done
            case .stopped: .stopped
            }
        return BulkJobView(
            id: BulkJobID(job.number), spec: job.spec, state: shown, met: job.met,
            progress: job.progress,
            hasMore: job.state == .done && job.rest == 0 && (job.cursor > 0 || !job.isLastPass),
            createdAt: job.createdAt, finishedAt: job.state == .running ? nil : job.finishedAt)
    }
}
