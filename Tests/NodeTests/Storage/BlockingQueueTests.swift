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
}
