import Scheduler

/// `Benchmark commands` has more of them, and beside a million tasks.
struct ApplyPart {
    private static let tasks = 20_000

    static func measure(_ meter: inout PartMeter) {
        for size in [1, 100, 1_000] {
            var submissions: [PartSample] = []
            var ends: [PartSample] = []
            var later: [PartSample] = []
            var bench = Workbench(meter: meter)
            bench.register("w", slots: 1_000, handlers: ["echo"])
            var delayed = Workbench.task()
            delayed.start = .after(milliseconds: 3_600_000)
            for _ in 0..<meter.rounds {
                var (submission, end, wait) = (PartSample(), PartSample(), PartSample())
                for _ in 0..<tasks / size {
                    bench.time += 1
                    bench.apply([Command](repeating: .submit(Workbench.task()), count: size))
                    submission += bench.last
                    let finishes = bench.finishes
                    precondition(finishes.count == size, "every task starts at once")
                    bench.apply(finishes)
                    end += bench.last
                    bench.apply([Command](repeating: .submit(delayed), count: size))
                    wait += bench.last
                    // They would pile up, and slow the rounds down one after the other.
                    bench.apply(bench.created.map { .cancel($0) })
                }
                submissions.append(submission)
                ends.append(end)
                later.append(wait)
            }
            let entry = "\(size) in an entry"
            meter.add(PartFigure("submitted and started, \(entry)", submissions, operations: tasks))
            meter.add(PartFigure("finished, \(entry)", ends, operations: tasks))
            meter.add(PartFigure("submitted for later, \(entry)", later, operations: tasks))
        }
    }
}
