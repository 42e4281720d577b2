import Scheduler

/// Tasks that are due at a time of their own wait in a heap. One that is cancelled leaves its entry there, until most are
/// like it and all of them are looked through.
struct DueQueuePart {
    private static let tasks = 1_000_000
    private static let steps = 100_000

    static func measure(_ meter: inout PartMeter) {
        var pushes: [PartSample] = []
        var pops: [PartSample] = []
        var cancellations: [PartSample] = []
        var random: UInt64 = 1
        for _ in 0..<meter.rounds {
            var heap = Heap()
            func push(_ count: Int) {
                for id in 0..<count {
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    heap.push(key: random >> 24, id: UInt64(id))
                }
            }
            push(tasks - steps)
            let begun = meter.read()
            push(steps)
            pushes.append(meter.since(begun))
            let full = meter.read()
            for _ in 0..<steps { heap.pop() }
            pops.append(meter.since(full))
            push(steps)
            cancellations.append(cancelAll(&heap, meter))
        }
        meter.add(PartFigure("put in, among 1,000,000", pushes, operations: steps))
        meter.add(PartFigure("the first taken out", pops, operations: steps))
        meter.add(
            PartFigure("a cancelled one found", cancellations, operations: tasks / 5 * 4))
    }

    /// Four of five no longer hold. As in a node each entry of the log looks at one run.
    private static func cancelAll(_ heap: inout Heap, _ meter: PartMeter) -> PartSample {
        let begun = meter.read()
        let live = heap.count / 5
        while heap.isUntidy(live: live) {
            heap.tidy(live: live, looks: 2_048) { $0.id % 5 == 0 }
        }
        return meter.since(begun)
    }
}
