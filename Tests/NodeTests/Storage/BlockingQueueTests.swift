import Testing

@testable import Node

struct BlockingQueueTests {
    @Test func whatIsQueuedIsTakenInOrderEvenAfterClosing() {
        let queue = BlockingQueue<Int>()
        for number in 1...5 { #expect(queue.put(number)) }
        #expect(queue.take() == 1)
        queue.close()
        #expect(!queue.put(6))
        var items = [99]
        #expect(queue.takeAll(into: &items))
        #expect(items == [2, 3, 4, 5])
        #expect(!queue.takeAll(into: &items))
        #expect(items == [])
        #expect(queue.take() == nil)
    }

    @Test func aSleepingThreadGetsEverything() throws {
        let numbers = BlockingQueue<Int>()
        let sums = BlockingQueue<Int>()
        let thread = try SystemThread(name: "test") {
            var items: [Int] = []
            while numbers.takeAll(into: &items) {
                for item in items { sums.put(item * 2) }
            }
            sums.close()
        }
        for number in 1...1_000 {
            numbers.put(number)
            #expect(sums.take() == number * 2)
        }
        numbers.close()
        thread.join()
        thread.join()
        #expect(sums.take() == nil)
    }

    @Test func whatIsThereIsTakenWithoutWaiting() {
        let queue = BlockingQueue<Int>()
        #expect(queue.takeIfAny() == nil)
        queue.put(1)
        #expect(queue.takeIfAny() == 1)
        #expect(queue.takeIfAny() == nil)
    }

    @Test(.timeLimit(.minutes(1))) func aPauseLastsUntilItsEndOrTheQueues() throws {
        let queue = BlockingQueue<Int>()
        let start = LogThread.now()
        queue.put(1)
        #expect(queue.pause(nanoseconds: 5_000_000))
        #expect(LogThread.now() - start >= 5_000_000)
        let thread = try SystemThread(name: "test") { queue.close() }
        #expect(!queue.pause(nanoseconds: 3_600_000_000_000))
        thread.join()
        #expect(!queue.pause(nanoseconds: 3_600_000_000_000))
    }

    @Test(.timeLimit(.minutes(1))) func aRestEndsWhenSomethingPresses() throws {
        let queue = BlockingQueue<Int>()
        let hour: UInt64 = 3_600_000_000_000
        let start = LogThread.now()
        queue.put(1)
        queue.rest(nanoseconds: 5_000_000) { $0 == 2 }
        #expect(LogThread.now() - start >= 5_000_000)
        let thread = try SystemThread(name: "test") { queue.put(2) }
        queue.rest(nanoseconds: hour) { $0 == 2 }
        thread.join()
        queue.rest(nanoseconds: hour) { $0 == 2 }
        #expect(queue.count == 2)
        queue.close()
        queue.rest(nanoseconds: hour) { _ in false }
    }

    @Test func whatIsPutFirstIsTakenFirst() {
        let queue = BlockingQueue<Int>()
        queue.put(1)
        queue.put(2)
        queue.put(3, isFirst: true)
        #expect([queue.take(), queue.take(), queue.take()] == [3, 1, 2])
    }
}
