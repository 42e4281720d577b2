import Scheduler

/// In some runs what has ended is dropped soon, and the nodes' configurations differ in that: whoever leads decides. By a
/// random source of its own, so that all others stay as they are.
struct RetentionWishes {
    private var random: RandomSource
    private let isInUse: Bool

    init(random: RandomSource) {
        self.random = random
        isInUse = self.random.chance(permille: 250)
    }

    /// What the configuration of a process says.
    mutating func draw() -> Retention {
        var retention = Retention()
        guard isInUse else { return retention }
        switch random.index(5) {
        case 0: break
        case 1, 2:
            // Not so many that something is dropped in the entry in which it comes to be.
            retention.maxFinished = UInt32(random.within(60...300))
            retention.maxDead = UInt32(random.within(30...100))
        default:
            retention.succeededMilliseconds = drawAge()
            retention.cancelledMilliseconds = drawAge()
            retention.expiredMilliseconds = drawAge()
            retention.deadMilliseconds = drawAge()
        }
        return retention
    }

    private mutating func drawAge() -> Milliseconds { random.pick([1_000, 4_700, 20_000]) }
}
