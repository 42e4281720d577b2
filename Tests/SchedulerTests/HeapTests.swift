import Testing

@testable import Scheduler

struct HeapTests {
    @Test(arguments: 0..<20)
    func popsInOrder(seed: UInt64) {
        var random = Seeded(seed)
        var heap = Heap()
        var expected: [Heap.Entry] = []
        for _ in 0..<300 {
            let entry = Heap.Entry(key: random.next() % 20, id: random.next() % 50)
            heap.push(key: entry.key, id: entry.id)
            expected.append(entry)
        }
        if seed % 2 == 0 {
            heap.compact { $0.id % 3 != 0 }
            expected.removeAll { $0.id % 3 == 0 }
        }
        var popped: [Heap.Entry] = []
        while let top = heap.top {
            popped.append(top)
            heap.pop()
        }
        #expect(popped == expected.sorted())
    }

    @Test
    func asksForCompactionOnlyWhenMostIsStale() {
        var heap = Heap()
        for id in 0..<3_000 { heap.push(key: 1, id: UInt64(id)) }
        #expect(!heap.needsCompaction(live: 1_000))
        #expect(heap.needsCompaction(live: 900))
        // What survives a compaction, repeated entries included, does not start the next one.
        heap.compact { _ in true }
        #expect(!heap.needsCompaction(live: 1))
    }
}
