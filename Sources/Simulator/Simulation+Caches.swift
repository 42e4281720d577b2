import Node
import Raft
import Scheduler

/// In some runs somebody asks the same few questions again and again, and is content with earlier answers. By a random
/// source of its own, so that all others stay as they are.
extension Simulation {
    func cachesAct() {
        guard phase == .chaos, let every = questions.every else { return }
        after(1 + questions.random.below(2 * every), .acts(.caches))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let token = ask(.change(.submit(questions.draw())), of: questions.random.pick(up))
        after(5_000_000_000, .clientDeadline(token))
    }
}

struct Questions {
    var random: RandomSource
    /// Mean time between two; nil: there are none.
    let every: Nanoseconds?

    init(random: RandomSource) {
        self.random = random
        every =
            self.random.chance(permille: 400)
            ? self.random.pick([20_000_000, 100_000_000, 500_000_000]) : nil
    }

    private static let mark = Array("{\"question\":".utf8)

    static func isQuestion(_ payload: [UInt8]) -> Bool { payload.starts(with: mark) }

    /// Too large for the state, and another one for each execution.
    static func storedAnswer(_ execution: Int, _ node: String) -> StoredOutput {
        StoredOutput(
            bytes: UInt64(100_000 + execution), checksum: [UInt8](repeating: 1, count: 32),
            node: node)
    }

    mutating func draw() -> TaskSpec {
        var spec = TaskSpec(handler: random.pick(["echo", "resize"]))
        spec.payload = Self.mark + Array("\(random.index(5))}".utf8)
        spec.cacheMilliseconds = Milliseconds(random.pick([50, 1_000, 20_000]))
        // An attempt without end has to end before the run does.
        spec.timeoutMilliseconds = 5_000
        if random.chance(permille: 200) { spec.queue = "mail" }
        return spec
    }
}
