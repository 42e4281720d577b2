import Scheduler
import Testing

@testable import Node

@Suite struct OccurrencePlannerTests {
    private func due(
        _ timing: ScheduleSpec.Timing, zone: String = "UTC", next: Int64
    ) -> DueSchedule {
        DueSchedule(name: "s", revision: 3, timing: timing, zone: zone, next: next)
    }

    private func plan(
        _ due: [DueSchedule], at time: Int64, catchUp: Int64 = 60_000, limit: Int = 500
    )
        -> OccurrencePlanner.Plan
    {
        var planner = OccurrencePlanner.utcOnly
        var settings = ReplicaSettings()
        settings.catchUpMilliseconds = catchUp
        settings.maxFiringsPerAdvance = limit
        return planner.plan(due, at: time, settings: settings)
    }

    @Test func oneDueOccurrenceFiresOnce() {
        let plan = plan([due(.every(milliseconds: 1_000), next: 5_000)], at: 5_010)
        #expect(
            plan.firings == [
                Firing(
                    schedule: "s", revision: 3, expectedNext: 5_000, nominal: 5_000, missed: 0,
                    next: 6_000)
            ])
    }

    @Test func recentOccurrencesAllFireInAChain() {
        let plan = plan([due(.every(milliseconds: 1_000), next: 5_000)], at: 7_500)
        #expect(plan.firings.map(\.nominal) == [5_000, 6_000, 7_000])
        #expect(plan.firings.map(\.expectedNext) == [5_000, 6_000, 7_000])
        #expect(plan.firings.map(\.next) == [6_000, 7_000, 8_000])
        #expect(plan.firings.allSatisfy { $0.missed == 0 })
    }

    @Test func ofOldOccurrencesTheLatestFires() {
        let plan = plan(
            [due(.every(milliseconds: 3_600_000), next: 3_600_000)], at: 36_000_000 + 600_000)
        #expect(
            plan.firings == [
                Firing(
                    schedule: "s", revision: 3, expectedNext: 3_600_000, nominal: 36_000_000,
                    missed: 9, next: 39_600_000)
            ])
    }

    @Test func aLongAbsenceIsCountedInSteps() {
        let start: Int64 = 1_000
        let end: Int64 = 5_000_000
        let plan = plan([due(.every(milliseconds: 1_000), next: start)], at: end)
        var accounted = 0
        var expected: Int64 = start
        for firing in plan.firings {
            #expect(firing.expectedNext == expected)
            accounted += Int(firing.missed) + (firing.nominal == nil ? 0 : 1)
            expected = firing.next ?? 0
        }
        #expect(accounted == Int((expected - start) / 1_000))
        #expect(expected == end + 1_000)
        #expect(plan.firings.contains { $0.nominal == nil })
    }

    @Test func theLimitLeavesTheRestDue() {
        let plan = plan([due(.every(milliseconds: 1_000), next: 1_000)], at: 50_000, limit: 7)
        #expect(plan.firings.count == 7)
        #expect(plan.firings.last?.next == 8_000)
    }

    @Test func anUnknownZoneStaysDueAndHoldsNothingElseUp() {
        let plan = plan(
            [
                due(.cron("0 9 * * *"), zone: "Mars/Olympus", next: 1_000),
                due(.every(milliseconds: 1_000), next: 1_000),
            ], at: 1_000)
        #expect(plan.unresolved == ["s"])
        #expect(plan.firings.count == 1)
    }

    @Test func theLastOccurrenceLeavesNoNext() throws {
        var planner = OccurrencePlanner.utcOnly
        let found16 = try planner.next(.cron("0 0 31 2 *"), zone: "UTC", after: 0)
        #expect(found16 == nil)
        #expect(throws: PlanError.self) {
            try planner.next(.cron("61 * * * *"), zone: "UTC", after: 0)
        }
        #expect(throws: PlanError.self) {
            try planner.next(.every(milliseconds: 0), zone: "UTC", after: 0)
        }
    }
}
