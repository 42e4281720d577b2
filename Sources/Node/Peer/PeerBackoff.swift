import Raft

/// Waits between attempts: doubling from a first to a longest, half of each at random, so that nodes
/// that lost each other at once do not call in step.
struct PeerBackoff {
    let firstMilliseconds: Int
    let maxMilliseconds: Int
    private var failures = 0

    init(firstMilliseconds: Int, maxMilliseconds: Int) {
        self.firstMilliseconds = firstMilliseconds
        self.maxMilliseconds = maxMilliseconds
    }

    mutating func reset() {
        failures = 0
    }

    /// The next wait.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Nanoseconds {
        let full = min(maxMilliseconds, firstMilliseconds << min(failures, 20))
        failures += 1
        return PeerBackoff.jittered(full, using: &generator)
    }

    /// Between half of it and all of it.
    static func jittered(
        _ milliseconds: Int, using generator: inout some RandomNumberGenerator
    ) -> Nanoseconds {
        let nanoseconds = UInt64(milliseconds) * 1_000_000
        return nanoseconds / 2 + UInt64.random(in: 0...nanoseconds / 2, using: &generator)
    }
}
