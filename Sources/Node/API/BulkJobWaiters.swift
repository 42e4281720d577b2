import Raft
import Scheduler

/// Who waits for the ends of bulk jobs. These have no events of their own: while anybody waits, the state is asked after
/// each turn of the replica.
final class BulkJobWaiters {
    private struct Waiter {
        let number: UInt64
        let job: BulkJobID
        let then: (BulkJobView?) -> Void
    }

    private let gateway: Gateway
    private let facts: NodeFacts
    private var waiters: [Waiter] = []
    private var lastNumber: UInt64 = 0

    init(gateway: Gateway, facts: NodeFacts) {
        self.gateway = gateway
        self.facts = facts
    }

    /// Calls `then` when the job has ended, or at the deadline (ns) with the job as it is; with nil if there is none.
    func wait(
        for job: BulkJobID, until deadline: Nanoseconds, then: @escaping (BulkJobView?) -> Void
    ) {
        let view = gateway.replica.scheduler.bulkJob(job)
        guard view?.state == .running, deadline > facts.clock().monotonic else { return then(view) }
        lastNumber += 1
        let number = lastNumber
        waiters.append(Waiter(number: number, job: job, then: then))
        facts.schedule(deadline) { [weak self] in self?.expire(number) }
    }

    func turnEnded() {
        guard !waiters.isEmpty else { return }
        let scheduler = gateway.replica.scheduler
        var ended: [(Waiter, BulkJobView?)] = []
        waiters.removeAll { waiter in
            let view = scheduler.bulkJob(waiter.job)
            guard view?.state != .running else { return false }
            ended.append((waiter, view))
            return true
        }
        // An answer may ask for something new.
        for (waiter, view) in ended { waiter.then(view) }
    }

    private func expire(_ number: UInt64) {
        guard let place = waiters.firstIndex(where: { $0.number == number }) else { return }
        let waiter = waiters.remove(at: place)
        waiter.then(gateway.replica.scheduler.bulkJob(waiter.job))
    }
}
