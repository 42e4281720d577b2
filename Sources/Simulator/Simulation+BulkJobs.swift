import Node
import Raft
import Scheduler

/// In some runs somebody cancels and brings back many tasks at once. By a random source of its own, so that all others
/// stay as they are.
extension Simulation {
    /// What schedules make is left out: whoever brings such a task back runs it beside its successors.
    private static let bulkHandlers = Scenario.handlers.filter { $0 != "echo" }

    func bulkJobsAct() {
        guard phase == .chaos, let every = scenario.work.bulkEvery else { return }
        after(1 + bulkRandom.below(2 * every), .acts(.bulkJobs))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let command: Command
        if bulkRandom.chance(permille: 100), let job = oracle.reference.bulkJobs().first {
            command = .stopBulkJob(job.id)
        } else {
            command = .beginBulkJob(drawBulkJob())
        }
        let token = ask(.change(command), of: bulkRandom.pick(up))
        after(5_000_000_000, .clientDeadline(token))
    }

    private func drawBulkJob() -> BulkSpec {
        let action: BulkSpec.Action = bulkRandom.chance(permille: 600) ? .retry : .cancel
        var filter = TaskFilter()
        if bulkRandom.chance(permille: 300) {
            filter.queue = "mail"
        } else {
            filter.handler = bulkRandom.pick(Self.bulkHandlers)
        }
        // Mostly what is new, so that others come to their ends.
        if bulkRandom.chance(permille: 600) {
            filter.since = max(0, oracle.reference.time - 2_000)
        }
        let limit = bulkRandom.chance(permille: 300) ? UInt64(bulkRandom.within(1...8)) : nil
        return BulkSpec(action, filter, limit: limit)
    }

    /// Jobs go on by themselves, whoever leads. nil: all have ended.
    func missingForBulkJobs() -> String? {
        oracle.reference.bulkJobs().first { $0.state == .running }.map {
            "\($0.id) has not ended"
        }
    }
}
