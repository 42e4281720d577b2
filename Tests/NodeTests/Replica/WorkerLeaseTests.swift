import Scheduler
import Testing

@testable import Node

@Suite struct WorkerLeaseTests {
    private func assignment(
        _ task: UInt64, attempt: UInt32 = 1, fence: UInt64 = 1, incarnation: UInt64 = 4
    ) -> Assignment {
        Assignment(
            worker: "n1", incarnation: incarnation, task: TaskID(task), attempt: attempt,
            fence: fence,
            handler: "echo", payload: [], timeoutMilliseconds: 1, scheduledAt: 0, assignedAt: 0,
            occurrence: nil, schedule: nil)
    }

    @Test func launchesOnlyUnderAValidLease() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.assigned(assignment(1), at: 1)
        let found1 = lease.takeLaunches(at: 10).isEmpty
        #expect(found1)
        lease.extend(until: 20)
        let found2 = lease.takeLaunches(at: 10).map(\.task)
        #expect(found2 == [TaskID(1)])
        let found3 = lease.takeLaunches(at: 10).isEmpty
        #expect(found3)
        #expect(!lease.isIdle)
        lease.ended(TaskID(1), attempt: 1)
        #expect(lease.isIdle)
    }

    @Test func ignoresAssignmentsToAFormerLife() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1, incarnation: 3), at: 1)
        let found4 = lease.takeLaunches(at: 0).isEmpty
        #expect(found4)
    }

    @Test func aRevokedAssignmentIsNeverLaunched() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1), at: 1)
        let found5 = lease.revoked(TaskID(1), attempt: 1)
        #expect(!found5)
        let found6 = lease.takeLaunches(at: 0).isEmpty
        #expect(found6)
    }

    @Test func aRunningAttemptIsStoppedWhenRevoked() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.assigned(assignment(1, attempt: 2), at: 1)
        _ = lease.takeLaunches(at: 0)
        let found7 = lease.revoked(TaskID(1), attempt: 1)
        #expect(!found7)
        let found8 = lease.revoked(TaskID(1), attempt: 2)
        #expect(found8)
        #expect(lease.isIdle)
    }

    @Test func expiryStopsWhatRunsOnce() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 20)
        lease.extend(until: 15)
        let found9 = lease.takeExpiry(at: 25)
        #expect(!found9)
        lease.assigned(assignment(1), at: 1)
        _ = lease.takeLaunches(at: 19)
        #expect(lease.nextDeadline() == 0)
        let found10 = lease.beatIsDue(at: 19, interval: 100)
        #expect(found10)
        #expect(lease.nextDeadline() == 20)
        let found11 = lease.takeExpiry(at: 19)
        #expect(!found11)
        let found12 = lease.takeExpiry(at: 20)
        #expect(found12)
        let found13 = lease.takeExpiry(at: 20)
        #expect(!found13)
    }

    @Test func aReplacedStateDecidesWhatRuns() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 100)
        for task in 1...3 { lease.assigned(assignment(UInt64(task)), at: 1) }
        _ = lease.takeLaunches(at: 0)
        let stale = lease.reconcile(
            with: [assignment(2), assignment(3, attempt: 2, fence: 7), assignment(9, fence: 8)],
            appliedBefore: 1)
        #expect(stale.map(\.0) == [TaskID(1), TaskID(3)])
        let found14 = lease.takeLaunches(at: 0).map(\.task)
        #expect(found14 == [TaskID(3), TaskID(9)])
    }

    @Test func whatHasEndedHereIsNotLaunchedAgainByASnapshotThatDoesNotKnow() {
        var lease = WorkerLease(id: "n1", incarnation: 4)
        lease.extend(until: 100)
        lease.assigned(assignment(1, fence: 5), at: 5)
        lease.assigned(assignment(2, fence: 6), at: 5)
        _ = lease.takeLaunches(at: 0)
        lease.ended(TaskID(1), attempt: 1)
        lease.ended(TaskID(2), attempt: 1)
        lease.assigned(assignment(3, fence: 5), at: 5)
        let current = [assignment(1, fence: 5), assignment(2, fence: 6), assignment(3, fence: 5)]
        #expect(lease.reconcile(with: current, appliedBefore: 5).isEmpty)
        // Only the one that still waited.
        let found15 = lease.takeLaunches(at: 0).map(\.task)
        #expect(found15 == [TaskID(3)])
    }
}
