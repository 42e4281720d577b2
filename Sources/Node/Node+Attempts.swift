import Raft
import Scheduler

/// The attempts of this node's worker, from their assignment to what the log is told of their end.
extension Node {
    func listenToWorker() {
        worker.onProgress = { [unowned self] assignment, progress in
            api?.progressed(assignment, progress)
        }
        worker.onLog = { [unowned self] assignment, bytes in
            results?.write(bytes, toLogOf: assignment)
        }
        worker.onRevoked = { [unowned self] assignment in
            results?.keepLog(of: assignment) { [unowned self] in tell($0) }
        }
        worker.describe = { [unowned self] in describe($0, in: $1) }
        worker.onFinish = { [unowned self] finish in
            // What is large is stored first: the log must not name what is not there.
            results?.settle(finish) { [unowned self] in attemptFinished($0) }
        }
    }

    func resultStore(_ configuration: ClusterConfiguration) throws(IOError) -> any ResultStore {
        switch configuration.results.place {
        case .directory(let path):
            let own = storage.directory.folder.path(of: "results")
            let directory = ResultDirectory(
                path: path.map { "\($0)/\(id.name)" } ?? own,
                maxBytes: configuration.results.maxMegabytes << 20)
            return try DirectoryStore(directory, node: id.name, loop: loop)
        case .bucket(let bucket):
            return try BucketStore(bucket, loop: loop)
        }
    }

    func sweepResults() {
        results?.sweepForever { [worker] in
            worker.running.map { AttemptName($0.task, $0.attempt) }
        }
    }

    func launch(_ assignment: Assignment) {
        let late = SystemClock.clock().microseconds(since: assignment.scheduledAt)
        metrics.startLatency.record(microseconds: late)
        metrics.attemptsStarted += 1
        worker.start(assignment)
    }

    private func attemptFinished(_ finish: Finish) {
        switch finish.result {
        case .succeeded, .stored: metrics.attemptsSucceeded += 1
        case .failed: metrics.attemptsFailed += 1
        case .returned: break
        }
        gateway.step(.attemptEnded(finish.task, attempt: finish.attempt))
        // No deadline: the result is offered until some leader takes or refuses it.
        gateway.request(.finish(finish), deadline: .max) { [unowned self] answer in
            results?.answered(finish)
            // Its end came too late. What it wrote is of use all the same.
            if case .outcome(.rejected(.staleAttempt)) = answer, let log = finish.attemptLog {
                tell(LogReport(task: finish.task, log: log))
            }
            let reason: String
            switch answer {
            case .outcome(.rejected(let rejection)): reason = "\(rejection)"
            case .refused(let refusal): reason = "\(refusal)"
            case .outcome: return
            }
            log.info(
                "a finish was refused",
                [
                    "task": .text(finish.task.description),
                    "attempt": .integer(Int64(finish.attempt)), "reason": .text(reason),
                ])
        }
    }

    private func tell(_ report: LogReport) {
        // Whatever the answer: the task may be gone, or have a log of the attempt.
        gateway.request(.noteLog(report), deadline: .max) { [results] _ in
            results?.answered(report)
        }
    }
}
