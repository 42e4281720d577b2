import Testing

@testable import Node
@testable import Scheduler

@Suite struct EventTypeTests {
    private static let all: [(what: EventFeed.What, name: String)] = {
        var all: [(what: EventFeed.What, name: String)] = []
        for state in TaskState.allCases {
            all.append((.task(TaskID(1), state, nil), "task.\(state.name)"))
        }
        all.append((.scheduleFired("s", nominal: 0, TaskID(1)), "schedule.fired"))
        for state in OccurrenceState.allCases {
            all.append(
                (
                    .occurrencesPassed("s", nominal: 0, count: 1, state, .overlap),
                    "schedule.\(state.name)"
                ))
        }
        all.append((.queue(QueueStanding(name: "q", isPaused: true)), "queue.changed"))
        for state in WorkerView.State.allCases {
            all.append((.worker("w", state), "worker.\(state.name)"))
        }
        all.append((.worker("w", nil), "worker.forgotten"))
        return all
    }()

    @Test func eachHasItsName() {
        for (what, name) in Self.all { #expect(EventType(of: what).name == name) }
    }

    @Test func wholeTypesAndFirstWordsAreWanted() {
        func wanted(_ names: String...) -> [String] {
            let types = EventTypes(named: names)
            return Self.all.filter { types.contains(EventType(of: $0.what)) }.map(\.name)
        }
        #expect(wanted("task.dead") == ["task.dead"])
        #expect(
            wanted("worker", "schedule.fired")
                == [
                    "schedule.fired", "worker.live", "worker.draining", "worker.lost",
                    "worker.forgotten",
                ])
        #expect(wanted("task", "schedule", "queue", "worker") == Self.all.map(\.name))
        #expect(wanted("task.", "tas", "task.deadly", "") == [])
        #expect(EventTypes.all.contains(EventType(of: .worker("w", nil))))
    }
}
