import Raft

/// When the requests of an open loop are meant to begin: at a steady rate, whatever became of those before.
///
/// Latency counts from here. A client that waits for its answers would ask less while a service stands still, and see
/// little of that; one that is late itself would not see it at all (both are known as coordinated omission).
struct ArrivalTimes: Equatable {
    let start: Nanoseconds
    /// None is meant to begin then, or later.
    let end: Nanoseconds
    let ratePerSecond: UInt64
    /// How many were taken.
    private(set) var taken: UInt64 = 0

    init(start: Nanoseconds, end: Nanoseconds, ratePerSecond: UInt64) {
        precondition(ratePerSecond > 0 && end >= start)
        self.start = start
        self.end = end
        self.ratePerSecond = ratePerSecond
    }

    /// Of a request, by its number from 0. From the number alone, so that no error of division adds up.
    private func instant(of number: UInt64) -> Nanoseconds {
        let (high, low) = number.multipliedFullWidth(by: 1_000_000_000)
        return start + ratePerSecond.dividingFullWidth((high, low)).quotient
    }

    /// When the next one is meant to begin; nil: there are no more.
    var next: Nanoseconds? {
        let next = instant(of: taken)
        return next < end ? next : nil
    }

    /// Takes the next one if its time has come.
    mutating func take(at now: Nanoseconds) -> Nanoseconds? {
        guard let next, next <= now else { return nil }
        taken += 1
        return next
    }

    /// How many have come by then and were not taken: they wait for a connection.
    func waiting(at now: Nanoseconds) -> UInt64 {
        guard end > start, now >= start else { return 0 }
        let elapsed = min(now, end - 1) - start
        // A number's instant is rounded down: it has come if number × 10⁹ < (elapsed + 1) × rate.
        let (high, low) = (elapsed + 1).multipliedFullWidth(by: ratePerSecond)
        let (quotient, remainder) = (1_000_000_000 as UInt64).dividingFullWidth((high, low))
        let come = quotient + (remainder > 0 ? 1 : 0)
        return come - min(come, taken)
    }
}
