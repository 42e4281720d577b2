import Scheduler
import Testing

@testable import Node

@Suite struct WorkerLeaseTests {
    private func assignment(
        _ task: UInt64, attempt: UInt32 = 1, incarnation: UInt64 = 4
    )
        -> Assignment
    {
        Assignment(
            worker: "n1", incarnation: incarnation, task: TaskID(task), attempt: attempt, fence: 1,
            handler: "echo", payload: [], timeoutMilliseconds: 1, scheduledAt: 0, assignedAt: 0,
            occurrence: nil, schedule: nil)
    }

    @Test func launchesOnlyUnderAValidLease() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.assigned(assignment(1))
        #expect(lease.takeLaunches(at: 10).isEmpty)
        lease.extend(until: 20)
        #expect(lease.takeLaunches(at: 10).map(\.task) == [TaskID(1)])
        #expect(lease.takeLaunches(at: 10).isEmpty)
        #expect(!lease.isIdle)
        lease.ended(TaskID(1), attempt: 1)
        #expect(lease.isIdle)
    }

    @Test func ignoresAssignmentsToAFormerLife() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1, incarnation: 3))
        #expect(lease.takeLaunches(at: 0).isEmpty)
    }

    @Test func aRevokedAssignmentIsNeverLaunched() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1))
        #expect(!lease.revoked(TaskID(1), attempt: 1))
        #expect(lease.takeLaunches(at: 0).isEmpty)
    }

    @Test func aRunningAttemptIsStoppedWhenRevoked() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1, attempt: 2))
        _ = lease.takeLaunches(at: 0)
        #expect(!lease.revoked(TaskID(1), attempt: 1))
        #expect(lease.revoked(TaskID(1), attempt: 2))
        #expect(lease.isIdle)
    }

    @Test func expiryStopsWhatRunsOnce() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.extend(until: 15)
        #expect(!lease.takeExpiry(at: 25))
        lease.assigned(assignment(1))
        _ = lease.takeLaunches(at: 19)
        #expect(lease.nextDeadline() == 0)
        #expect(lease.beatIsDue(at: 19, interval: 100))
        #expect(lease.nextDeadline() == 20)
        #expect(!lease.takeExpiry(at: 19))
        #expect(lease.takeExpiry(at: 20))
        #expect(!lease.takeExpiry(at: 20))
    }

    @Test func aReplacedStateDecidesWhatRuns() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 100)
        for task in 1...3 { lease.assigned(assignment(UInt64(task))) }
        _ = lease.takeLaunches(at: 0)
        let stale = lease.reconcile(with: [assignment(2), assignment(3, attempt: 2), assignment(9)])
        #expect(stale.map(\.0) == [TaskID(1), TaskID(3)])
        #expect(lease.takeLaunches(at: 0).map(\.task) == [TaskID(3), TaskID(9)])
    }
}
