import Testing

@testable import Scheduler

struct HeapTests {
    /// With several runs, and pops and tidying in between.
    @Test(arguments: 0..<20)
    func popsInOrder(seed: UInt64) {
        var random = Seeded(seed)
        var heap = Heap()
        var expected: [Heap.Entry] = []
        for step in 0..<3 * Heap.runSize {
            let entry = Heap.Entry(key: random.next() % 2_000, id: random.next() % 50)
            heap.push(key: entry.key, id: entry.id)
            expected.append(entry)
            guard step % 1_000 == 999 else { continue }
            expected.sort()
            for _ in 0..<100 {
                #expect(heap.top == expected.first)
                heap.pop()
                expected.removeFirst()
            }
        }
        if seed % 2 == 0 {
            while heap.isUntidy(live: 0), heap.count > expected.count / 2 {
                heap.tidy(live: 0, looks: 100) { $0.id % 3 == 0 }
            }
            expected.removeAll { $0.id % 3 != 0 }
            // Those of the last, open run may be there yet.
            var kept: [Heap.Entry] = []
            heap.forEach { kept.append($0) }
            #expect(Set(expected.map(\.key)).isSubset(of: Set(kept.map(\.key))))
            expected = kept
        }
        var popped: [Heap.Entry] = []
        while let top = heap.top {
            popped.append(top)
            heap.pop()
        }
        #expect(popped == expected.sorted())
        #expect(heap.count == 0)
    }

    @Test
    func tidyingGivesRoomBackAndTakesItsTime() {
        var heap = Heap()
        for id in 0..<50_000 { heap.push(key: UInt64(id % 777), id: UInt64(id)) }
        var mostLooks = 0
        var calls = 0
        while heap.isUntidy(live: 10) {
            var looks = 0
            heap.tidy(live: 10, looks: 16) { entry in
                looks += 1
                return entry.id < 10
            }
            mostLooks = max(mostLooks, looks)
            calls += 1
        }
        #expect(heap.count == 10)
        #expect(mostLooks <= Heap.runSize)
        #expect(calls < 50_000 / 16 + Heap.runSize)
        #expect(heap.top == Heap.Entry(key: 0, id: 0))
    }

    @Test
    func isUntidyOnlyWhenMostIsStale() {
        var heap = Heap()
        for id in 0..<3_000 { heap.push(key: 1, id: UInt64(id)) }
        #expect(!heap.isUntidy(live: 1_000))
        #expect(heap.isUntidy(live: 900))
        // What survives, repeated entries included, does not start it again.
        heap.tidy(live: 900, looks: 3_000) { _ in true }
        #expect(!heap.isUntidy(live: 1))
    }

    @Test
    func isVisitedInOrder() {
        var random = Seeded(1)
        var heap = Heap()
        var all: [Heap.Entry] = []
        for id in 0..<UInt64(3 * Heap.runSize + 100) {
            let entry = Heap.Entry(key: random.next() % 1_000, id: id)
            heap.push(key: entry.key, id: entry.id)
            all.append(entry)
        }
        let wanted = all.filter { $0.key <= 500 }.sorted()
        var visited: [Heap.Entry] = []
        heap.visit(through: 500) { entry in
            visited.append(entry)
            return true
        }
        #expect(visited == wanted)
        visited = []
        heap.visit(through: 500) { entry in
            visited.append(entry)
            return visited.count < 300
        }
        #expect(visited == Array(wanted.prefix(300)))
    }
}
