import Node
import Raft
import Scheduler

/// The clocks of one machine: the monotonic one runs at its own rate, the wall clock is off by an offset
/// and can be set.
struct ClockModel: Sendable {
    /// Rate of this machine's clocks against true time, in parts per million.
    let driftPPM: Int64
    private(set) var wallOffset: Milliseconds
    /// What the monotonic clock showed at virtual time 0; another one after each reboot.
    private var base: Nanoseconds

    /// Virtual time 0 is an instant in 2027.
    static let epoch: Milliseconds = 1_800_000_000_000
    /// No wall clock is ever set to before this.
    static let earliestWall = epoch - maxWallOffset
    static let maxWallOffset: Milliseconds = 3_600_000
    /// No clock gains or loses more than this against true time; leases are told so.
    static let maxDriftPPM = 25_000

    init(driftPPM: Int64, wallOffset: Milliseconds, base: Nanoseconds) {
        precondition(abs(wallOffset) <= Self.maxWallOffset)
        self.driftPPM = driftPPM
        self.wallOffset = wallOffset
        self.base = base
    }

    private var ratePPM: UInt64 { UInt64(1_000_000 + driftPPM) }

    private func elapsed(at now: Nanoseconds) -> Nanoseconds {
        now / 1_000_000 * ratePPM + now % 1_000_000 * ratePPM / 1_000_000
    }

    func clock(at now: Nanoseconds) -> Clock {
        let elapsed = elapsed(at: now)
        return Clock(
            monotonic: base + elapsed,
            wall: Self.epoch + wallOffset + Milliseconds(elapsed / 1_000_000),
            wallRemainder: elapsed % 1_000_000)
    }

    /// The first virtual instant from `now` on at which the monotonic clock has reached `deadline`.
    func virtualTime(of deadline: Nanoseconds, now: Nanoseconds) -> Nanoseconds {
        let current = clock(at: now).monotonic
        guard deadline > current else { return now }
        let wait = deadline - current
        guard wait < 1 << 43 else { return .max }
        return now + wait * 1_000_000 / ratePPM + 2
    }

    /// What `length` by this clock takes in virtual time.
    func virtualLength(of length: Nanoseconds) -> Nanoseconds { length * 1_000_000 / ratePPM }

    mutating func setWallOffset(_ offset: Milliseconds) {
        precondition(abs(offset) <= Self.maxWallOffset)
        wallOffset = offset
    }

    mutating func reboot(base newBase: Nanoseconds) { base = newBase }
}
