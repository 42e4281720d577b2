/// When rounds of this term were sent: a reply carries its round back, and what it proves is as old as the
/// sending. Samples stand at least `spacing` apart, so a look-up may answer a little too early, never too
/// late, and their number is bounded by `keep / spacing`.
struct RoundTimes: Sendable {
    private var samples: [(round: UInt64, sentAt: Nanoseconds)] = []
    private let spacing: Nanoseconds
    private let keep: Nanoseconds

    init(spacing: Nanoseconds, keep: Nanoseconds) {
        self.spacing = max(1, spacing)
        self.keep = keep
    }

    mutating func note(round: UInt64, now: Nanoseconds) {
        if let last = samples.last, now - last.sentAt < spacing { return }
        samples.append((round, now))
        guard let first = samples.first, now - first.sentAt > 2 * keep else { return }
        // Half at a time, so that the cost of moving the rest is spread.
        samples.removeAll { now - $0.sentAt > keep }
    }

    /// No later than the time the round was sent; 0 if that is too long ago to tell.
    func sentAt(_ round: UInt64) -> Nanoseconds {
        var low = 0
        var high = samples.count
        while low < high {
            let middle = low + (high - low) / 2
            if samples[middle].round <= round { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : samples[low - 1].sentAt
    }
}
