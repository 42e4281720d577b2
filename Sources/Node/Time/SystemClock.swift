import Glibc

/// The clocks of this machine.
enum SystemClock {
    /// Milliseconds since 1970 (UTC). May jump in both directions when the clock is set.
    static func wallMilliseconds() -> Int64 {
        milliseconds(read(CLOCK_REALTIME))
    }

    private static func milliseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
            + ClockOffset.current.milliseconds
    }

    /// The same, more exactly.
    static func wallNanoseconds() -> Int64 {
        let time = read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
            + ClockOffset.current.milliseconds * 1_000_000
    }

    /// Wall clock and the loop's. The wall clock is read first: should the process stand still between the two, a time
    /// that is reckoned from them lags behind, and nothing is early.
    static func clock() -> Clock {
        let time = read(CLOCK_REALTIME)
        return Clock(
            monotonic: Loop.clock(), wall: milliseconds(time),
            wallRemainder: UInt64(time.tv_nsec) % 1_000_000)
    }

    /// Nanoseconds since some start; never goes back, and does not count while the machine sleeps.
    static func monotonicNanoseconds() -> UInt64 {
        let time = read(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func monotonicMilliseconds() -> Int64 {
        Int64(monotonicNanoseconds() / 1_000_000)
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let status = clock_gettime(clock, &time)
        precondition(status == 0, "these two clocks exist on every Linux")
        return time
    }
}
