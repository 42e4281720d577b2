import Node
import Raft
import Scheduler

/// In some runs somebody deletes what has ended, one by one and many at once. By a random source of its own, so that all
/// others stay as they are.
extension Simulation {
    func deletionsAct() {
        guard phase == .chaos, let every = deletions.every else { return }
        after(1 + deletions.random.below(2 * every), .acts(.deletions))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations,
            let command = deletions.draw(clients.known)
        else { return }
        let token = ask(.change(command), of: deletions.random.pick(up))
        after(5_000_000_000, .clientDeadline(token))
    }
}

struct Deletions {
    var random: RandomSource
    /// Mean time between two; nil: there are none.
    let every: Nanoseconds?

    init(random: RandomSource) {
        self.random = random
        every =
            self.random.chance(permille: 250)
            ? self.random.pick([50_000_000, 200_000_000, 1_000_000_000]) : nil
    }

    /// nil: there is nothing to delete yet.
    mutating func draw(_ known: [TaskID]) -> Command? {
        guard random.chance(permille: 50) else {
            guard !known.isEmpty else { return nil }
            return .deleteTask(known[known.count - 1 - random.index(min(60, known.count))])
        }
        var filter = TaskFilter()
        if random.chance(permille: 300) {
            filter.queue = "mail"
        } else {
            filter.handler = random.pick(Scenario.handlers)
        }
        let limit = random.chance(permille: 500) ? UInt64(random.within(1...8)) : nil
        return .beginBulkJob(BulkSpec(.delete, filter, limit: limit))
    }
}
