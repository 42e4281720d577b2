import Glibc

/// What this process has taken of the machine so far: a generator that comes near a whole processor measures itself.
struct GeneratorUsage: Equatable, Sendable {
    var cpuMicroseconds: UInt64
    var wallNanoseconds: UInt64

    static func now() -> GeneratorUsage {
        var usage = rusage()
        let status = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        precondition(status == 0, "a process may always ask for its own usage")
        func microseconds(_ time: timeval) -> UInt64 {
            UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_usec)
        }
        return GeneratorUsage(
            cpuMicroseconds: microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
            wallNanoseconds: SystemClock.monotonicNanoseconds())
    }

    func since(_ earlier: GeneratorUsage) -> GeneratorUsage {
        GeneratorUsage(
            cpuMicroseconds: cpuMicroseconds - earlier.cpuMicroseconds,
            wallNanoseconds: wallNanoseconds - earlier.wallNanoseconds)
    }

    /// Of one processor.
    var share: Double {
        wallNanoseconds > 0 ? Double(cpuMicroseconds) * 1_000 / Double(wallNanoseconds) : 0
    }
}
