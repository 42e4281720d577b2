import Raft

/// Attempts that wait at their workers before they begin, for others of their batch or for processes to be launched, and may
/// be handed back meanwhile. By a random source of its own, so that all others stay as they are.
struct LaunchQueues {
    private var random: RandomSource
    /// In some runs everything begins at once.
    private let isInUse: Bool

    init(random: RandomSource) {
        self.random = random
        isInUse = self.random.chance(permille: 600)
    }

    /// How long an attempt waits.
    mutating func drawWait() -> Nanoseconds {
        guard isInUse, random.chance(permille: 250) else { return 0 }
        return random.latency(1_000_000...600_000_000)
    }

    /// The worker has no room for it.
    mutating func isFull() -> Bool { isInUse && random.chance(permille: 15) }
}
