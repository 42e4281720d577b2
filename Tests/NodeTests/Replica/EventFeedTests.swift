import Scheduler
import Testing

@testable import Node

@Suite struct EventFeedTests {
    private func feed(capacity: Int, entries: ClosedRange<UInt64>) -> EventFeed {
        var feed = EventFeed(capacity: capacity, applied: entries.lowerBound - 1)
        for index in entries {
            feed.note(
                [.taskChanged(TaskID(index), .ready), .taskChanged(TaskID(index), .running)],
                at: index, in: Scheduler())
        }
        return feed
    }

    private func names(_ records: [EventFeed.Record]) -> [String] {
        records.map(\.position.description)
    }

    @Test func eventsAreNamedByEntryAndPlace() {
        let feed = feed(capacity: 10, entries: 3...4)
        let all = feed.records(behind: feed.lostThrough, limit: 10)
        #expect(names(all) == ["3-0", "3-1", "4-0", "4-1"])
        let behind = feed.records(behind: EventFeed.Position(index: 3, place: 0), limit: 2)
        #expect(names(behind) == ["3-1", "4-0"])
        let before = Array(feed.records(before: EventFeed.Position(index: 4, place: 0)))
        #expect(names(before) == ["3-1", "3-0"])
    }

    @Test func theOldestAreForgottenAndThatIsKnown() {
        let feed = feed(capacity: 3, entries: 1...4)
        #expect(feed.lostThrough == EventFeed.Position(index: 3, place: 0))
        let held = feed.records(behind: EventFeed.Position(index: 0, place: 0), limit: 10)
        #expect(names(held) == ["3-1", "4-0", "4-1"])
        #expect(feed.last == EventFeed.Position(index: 4, place: 1))
    }

    @Test func aSnapshotLeavesAGap() {
        var feed = feed(capacity: 10, entries: 1...2)
        feed.skip(to: 9)
        #expect(feed.count == 0 && feed.lostThrough == feed.last)
        #expect(feed.lostThrough > EventFeed.Position(index: 9, place: 7))
        feed.note([.workerChanged(id: "n1")], at: 10, in: Scheduler())
        #expect(names(feed.records(behind: feed.lostThrough, limit: 1)) == ["10-0"])
    }

    @Test(arguments: ["", "1", "1-", "-1", "1-2-3", "01-2", "1-02", "+1-2", "1--2"])
    func whatIsNoPosition(_ text: String) {
        #expect(EventFeed.Position(text) == nil)
    }

    @Test func withoutCapacityNothingIsHeld() {
        #expect(feed(capacity: 0, entries: 1...2).count == 0)
    }
}
