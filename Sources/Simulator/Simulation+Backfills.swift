import Node
import Raft
import Scheduler

/// In runs with schedules somebody makes up for what they missed, now and then. By a random source of its own, so that
/// all others stay as they are.
extension Simulation {
    private static let backfillEvery: Nanoseconds = 3_000_000_000

    func backfillsAct() {
        guard phase == .chaos else { return }
        after(1 + backfillRandom.below(2 * Self.backfillEvery), .acts(.backfills))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let node = backfillRandom.pick(up)
        let name = backfillRandom.pick(Self.scheduleNames)
        guard let state = node.replica?.scheduler, let view = state.schedule(name),
            let timing = ScheduleBooks.timing(of: view.spec)
        else { return }
        let command: Command
        if backfillRandom.chance(permille: 150) {
            command = .cancelBackfill(name: name)
        } else {
            let from = state.time - Milliseconds(backfillRandom.within(0...40_000))
            let to = from + Milliseconds(backfillRandom.within(0...60_000))
            let first = timing.next(after: from - 1)
            command = .startBackfill(
                name: name, revision: view.revision,
                Backfill(
                    from: from, to: to, isSequential: backfillRandom.chance(permille: 300),
                    next: first <= view.spec.policy.until ?? .max ? first : nil))
        }
        let token = ask(.change(command), of: node)
        after(5_000_000_000, .clientDeadline(token))
    }
}
