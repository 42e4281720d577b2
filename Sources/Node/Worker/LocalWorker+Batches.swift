import Scheduler

/// Attempts of one handler and namespace that are run together.
extension LocalWorker {
    /// The job that an attempt belongs to: its own, or the batch that gathers.
    func job(for assignment: Assignment, _ batch: BatchSpec?) -> Job {
        let kind = Job.Kind(assignment)
        guard batch != nil else { return Job(kind, batch: nil) }
        if let job = gathering[kind] {
            let bytes = job.payloadBytes + assignment.payload.count
            if bytes <= WorkerLimits.maxBatchBytes { return job }
            depart(job)
        }
        let job = Job(kind, batch: batch)
        gathering[kind] = job
        return job
    }

    /// Somebody has joined: it departs when it is full, or when the first one has waited for long enough.
    func gather(_ job: Job) {
        guard let batch = job.batch else { preconditionFailure("only batches gather") }
        guard job.members.count < batch.maxCount else { return depart(job) }
        guard job.linger == nil else { return }
        let deadline = deadline(afterMilliseconds: batch.lingerMilliseconds)
        job.linger = loop.schedule(at: deadline) { [unowned self] in
            job.linger = nil
            depart(job)
        }
    }

    private func depart(_ job: Job) {
        if let linger = job.linger { loop.cancel(linger) }
        job.linger = nil
        if gathering[job.kind] === job { gathering[job.kind] = nil }
        begin(job)
    }

    /// Every attempt of the job is over.
    func complete(_ job: Job, _ result: (Assignment) -> AttemptResult) {
        job.work = .waiting
        for run in members(of: job) { complete(run, result(run.assignment)) }
    }

    static func unanswered(isCutOff: Bool) -> AttemptResult {
        guard isCutOff else {
            return .failure(.unanswered, "the batch has no answer for this task")
        }
        let limit = WorkerLimits.maxBatchAnswerBytes
        return .failure(
            .unanswered, "the batch's answers are larger than \(limit) bytes altogether")
    }
}
