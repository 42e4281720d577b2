import Scheduler
import Testing

@testable import Node

@Suite struct OccurrencePlannerTests {
    private func due(
        _ timing: ScheduleSpec.Timing, zone: String = "UTC", next: Int64,
        _ change: (inout SchedulePolicy) -> Void = { _ in }
    ) -> DueSchedule {
        var policy = SchedulePolicy()
        change(&policy)
        return DueSchedule(
            name: "s", revision: 3, timing: timing, zone: zone, policy: policy, next: next)
    }

    private func plan(
        _ due: [DueSchedule], at time: Int64, limit: Int = 500
    ) -> OccurrencePlanner.Plan {
        var planner = OccurrencePlanner.utcOnly
        var settings = ReplicaSettings()
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
        #expect(plan.firings.map(\.later) == [1, 1, 0])
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

    @Test func afterADayTheWorkIsDividedAmongPlans() {
        let day: Int64 = 86_400_000
        var left = (0..<500).map { number in
            var schedule = due(.every(milliseconds: 60_000), next: 60_000)
            schedule.name = "s\(number)"
            return schedule
        }
        var accounted = 0
        var plans = 0
        while !left.isEmpty, plans < 1_000 {
            let plan = plan(left, at: day)
            #expect(plan.instants < OccurrencePlanner.maxInstantsPerPlan + 1_001)
            #expect(!plan.firings.isEmpty)
            for firing in plan.firings {
                guard let place = left.firstIndex(where: { $0.name == firing.schedule }) else {
                    Issue.record("\(firing.schedule) was not due")
                    return
                }
                #expect(firing.expectedNext == left[place].next)
                accounted += Int(firing.missed) + (firing.nominal == nil ? 0 : 1)
                left[place].next = firing.next ?? .max
                if left[place].next > day { left.remove(at: place) }
            }
            plans += 1
        }
        #expect(accounted == 500 * 1_440)
        #expect(plans > 10)
    }

    @Test func anUnknownZoneStaysDueAndHoldsNothingElseUp() {
        let plan = plan(
            [
                due(.cron("0 9 * * *"), zone: "Mars/Olympus", next: 1_000),
                due(.every(milliseconds: 1_000), next: 1_000),
            ], at: 1_000)
        #expect(plan.unresolved.map(\.name) == ["s"])
        #expect(plan.firings.count == 1)
    }

    private func instants(_ plan: OccurrencePlanner.Plan) -> [Int64] {
        plan.firings.compactMap(\.nominal)
    }

    private func missed(_ plan: OccurrencePlanner.Plan) -> UInt32 {
        plan.firings.reduce(0) { $0 + $1.missed }
    }

    /// Due each second from 1 s on, looked at after 100 s.
    private func late(_ catchUp: CatchUpPolicy, grace: Int64 = 10_000) -> OccurrencePlanner.Plan {
        plan(
            [
                due(.every(milliseconds: 1_000), next: 1_000) {
                    $0.catchUp = catchUp
                    $0.graceMilliseconds = grace
                }
            ], at: 100_500)
    }

    @Test func whatIsCaughtUpWithIsWhatTheScheduleSays() {
        let none = late(.none)
        #expect(instants(none) == (91...100).map { $0 * 1_000 } && missed(none) == 90)
        #expect(instants(late(.none, grace: 0)).isEmpty)
        #expect(late(.none, grace: 0).firings.map(\.missed) == [100])
        #expect(instants(late(.latest, grace: 0)) == [100_000])
        #expect(instants(late(.all(3), grace: 0)) == [98_000, 99_000, 100_000])
        #expect(late(.all(3), grace: 0).firings.map(\.later) == [2, 1, 0])
        #expect(instants(late(.all(1_000))).count == 100 && missed(late(.all(1_000))) == 0)
        #expect(instants(late(.within(milliseconds: 2_500))) == [98_000, 99_000, 100_000])
        #expect(missed(late(.within(milliseconds: 2_500))) == 97)
    }

    @Test func nothingIsPlannedBehindTheEnd() {
        let schedule = due(.every(milliseconds: 1_000), next: 1_000) { $0.until = 3_500 }
        let plan = plan([schedule], at: 9_000)
        #expect(instants(plan) == [1_000, 2_000, 3_000])
        #expect(plan.firings.last?.next == nil)
    }

    @Test func listedInstantsFireEachOnce() {
        let plan = plan([due(.at([1_000, 2_500, 9_000, 20_000]), next: 1_000)], at: 10_000)
        #expect(instants(plan) == [1_000, 2_500, 9_000])
        #expect(plan.firings.last?.next == 20_000)
    }

    @Test func aPhaseMovesEveryInstant() {
        let plan = plan([due(.every(milliseconds: 1_000, phase: 250), next: 1_250)], at: 3_300)
        #expect(instants(plan) == [1_250, 2_250, 3_250])
        #expect(plan.firings.last?.next == 4_250)
    }

    @Test func theLastOccurrenceLeavesNoNext() throws {
        var zones = ZoneTable(directories: [], read: { _ in nil })
        func rule(_ timing: ScheduleSpec.Timing) throws -> ScheduleRule {
            try ScheduleRule(
                timing, name: "s", zone: "UTC", policy: SchedulePolicy(), zones: &zones)
        }
        #expect(try rule(.cron("0 0 31 2 *")).next(after: 0) == nil)
        #expect(throws: ScheduleRuleError.self) { try rule(.cron("61 * * * *")) }
        #expect(throws: ScheduleRuleError.self) { try rule(.every(milliseconds: 0)) }
        #expect(try rule(.at([5, 6])).next(after: 6) == nil)
    }
}
