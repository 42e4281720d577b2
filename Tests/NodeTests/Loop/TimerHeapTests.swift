import Testing

@testable import Node

@Suite struct TimerHeapTests {
    @Test func firesInOrderOfDeadlineThenOfScheduling() {
        var heap = TimerHeap()
        var fired: [Int] = []
        for (index, deadline) in [50, 10, 30, 10, 20].enumerated() {
            _ = heap.insert(at: UInt64(deadline)) { fired.append(index) }
        }
        while let body = heap.popDue(at: 30, scheduledBefore: .max) { body() }
        #expect(fired == [1, 3, 4, 2])
        #expect(heap.count == 1)
        #expect(heap.earliest == 50)
    }

    @Test func cancelledTimersNeverFireAndOldIdentitiesAreHarmless() {
        var heap = TimerHeap()
        let first = heap.insert(at: 1) {}
        var isCancelled = heap.cancel(first)
        #expect(isCancelled)
        isCancelled = heap.cancel(first)
        #expect(!isCancelled)
        var fired = false
        _ = heap.insert(at: 1) { fired = true }
        // Uses the same slot: the old identity must not cancel it.
        isCancelled = heap.cancel(first)
        #expect(!isCancelled)
        heap.popDue(at: 1, scheduledBefore: .max)?()
        #expect(fired)
        #expect(heap.count == 0)
    }

    @Test func timersScheduledMeanwhileWait() {
        var heap = TimerHeap()
        let bound = heap.nextSequence
        _ = heap.insert(at: 0) {}
        #expect(heap.popDue(at: 9, scheduledBefore: bound) == nil)
        #expect(heap.popDue(at: 9, scheduledBefore: heap.nextSequence) != nil)
    }

    @Test(arguments: 0..<20)
    func agreesWithASortedList(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var heap = TimerHeap()
        var model: [(deadline: UInt64, name: Int, timer: TimerID)] = []
        var fired: [Int] = []
        var expected: [Int] = []
        var now: UInt64 = 0
        for name in 0..<2_000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<6:
                let deadline = now + UInt64.random(in: 0..<100, using: &generator)
                model.append((deadline, name, heap.insert(at: deadline) { fired.append(name) }))
            case 6..<8 where !model.isEmpty:
                let victim = model.remove(at: .random(in: 0..<model.count, using: &generator))
                let isCancelled = heap.cancel(victim.timer)
                #expect(isCancelled)
            default:
                now += UInt64.random(in: 0..<30, using: &generator)
                while let body = heap.popDue(at: now, scheduledBefore: .max) { body() }
                let due = model.filter { $0.deadline <= now }
                expected += due.sorted { ($0.deadline, $0.name) < ($1.deadline, $1.name) }.map(
                    \.name)
                model.removeAll { $0.deadline <= now }
            }
            #expect(heap.count == model.count)
            #expect(heap.earliest == model.map(\.deadline).min())
        }
        #expect(fired == expected)
    }
}
