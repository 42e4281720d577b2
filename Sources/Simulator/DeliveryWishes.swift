import Scheduler

/// What tasks and queues of clients ask for besides: to be told of ends, and to end in time. By a random source of its
/// own, so that all others stay as they are.
struct DeliveryWishes {
    var random: RandomSource
    /// In some runs nobody asks for anything.
    let isInUse: Bool

    init(random: RandomSource) {
        self.random = random
        isInUse = self.random.chance(permille: 700)
    }

    mutating func add(to spec: inout TaskSpec) {
        guard isInUse else { return }
        if random.chance(permille: 150) { spec.webhook = "http://h\(random.index(3))/" }
        if random.chance(permille: 150) {
            spec.overallTimeoutMilliseconds = Milliseconds(random.within(100...8_000))
        }
        if random.chance(permille: 100) { spec.retry.kinds = random.pick([["lost"], ["timeout"]]) }
    }

    mutating func add(to spec: inout QueueSpec) {
        guard isInUse, random.chance(permille: 400) else { return }
        spec.errorWebhook = "http://h\(random.index(3))/"
    }
}
