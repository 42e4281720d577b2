import Scheduler

/// The end of an attempt, as an attached worker reports it, alone or among many.
struct AttemptEnd {
    let result: AttemptResult
    /// false: it never did, says the worker.
    let hasBegun: Bool
    let log: [UInt8]?

    /// nil: the reader has a problem with it.
    init?(_ reader: inout JSONReader) {
        let outcome = reader.choice(
            "outcome", of: ["succeeded", "failed", "returned"], required: true)
        let value = reader.raw("result", maxBytes: WorkerLimits.maxResultBytes)
        let message = reader.string("error")
        let kind = reader.string("kind", maxBytes: Limits.maxNameBytes, allowEmpty: false)
        let mayRetry = reader.bool("retry")
        let retryAfter = reader.durationMilliseconds(
            "retryAfter", in: 0...Limits.maxDelayMilliseconds)
        hasBegun = reader.bool("begun") ?? true
        log = reader.string("log", maxBytes: WorkerLimits.maxLogTextBytes).map { Array($0.utf8) }
        if let kind, !NameRule.isPlain(kind) {
            reader.problem("kind", "must not have control characters")
        }
        if outcome != "succeeded", reader.has("result") {
            reader.problem("result", "belongs to an attempt that succeeded")
        }
        for field in ["error", "kind", "retry", "retryAfter"]
        where outcome != "failed" && reader.has(field) {
            reader.problem(field, "belongs to an attempt that failed")
        }
        if outcome == "succeeded", reader.has("begun") {
            reader.problem("begun", "belongs to an attempt that did not succeed")
        }
        switch outcome {
        case "succeeded": result = .succeeded(value ?? Array("null".utf8))
        case "returned": result = .returned
        case "failed":
            result = .failed(
                AttemptResult.Failure(
                    message: message ?? "", kind: kind ?? "error", isRetryable: mayRetry ?? true,
                    retryAfterMilliseconds: retryAfter))
        default: return nil
        }
    }

    func finish(_ assignment: Assignment) -> Finish {
        Finish(
            task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
            result: result, hasBegun: hasBegun)
    }
}
