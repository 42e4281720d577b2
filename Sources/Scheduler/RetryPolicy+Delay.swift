extension RetryPolicy {
    /// How long to wait before the next attempt, in ms, after `spent` attempts of the budget. Jitter takes it from
    /// [delay / 2, delay] by a hash of task and attempt, so that it is the same on every replica.
    func delayMilliseconds(spent: Int, task: TaskID, attempt: UInt32) -> Milliseconds {
        precondition(spent > 0)
        let delay = min(unboundedDelay(spent), maxMilliseconds)
        guard jitter, delay > 1 else { return delay }
        let half = delay / 2
        let spread = UInt64(delay - half) + 1
        return half + Milliseconds(StableHash.of(task.number, UInt64(attempt)) % spread)
    }

    private func unboundedDelay(_ spent: Int) -> Milliseconds {
        switch backoff {
        case .fixed: return initialMilliseconds
        case .linear:
            let (product, overflow) = initialMilliseconds.multipliedReportingOverflow(
                by: Milliseconds(spent))
            return overflow ? .max : product
        case .exponential:
            // The longest delay is below 2^39 ms: doubled more often than that it is over in any case.
            guard initialMilliseconds > 0 else { return 0 }
            guard spent <= 40 else { return .max }
            let (product, overflow) = initialMilliseconds.multipliedReportingOverflow(
                by: 1 << Milliseconds(spent - 1))
            return overflow ? .max : product
        }
    }
}
