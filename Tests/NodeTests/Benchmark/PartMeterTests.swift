import Testing

@testable import Node

struct PartMeterTests {
    private func sample(_ processor: UInt64, _ elapsed: UInt64, _ allocations: UInt64) -> PartSample
    {
        PartSample(
            processorNanoseconds: processor, elapsedNanoseconds: elapsed, allocations: allocations)
    }

    @Test func `a figure is the median of the rounds, for each operation`() {
        let rounds = [sample(9_000, 1, 8), sample(1_000, 2, 4), sample(2_000, 4_000, 4)]
        let figure = PartFigure("x", rounds, operations: 4, bytes: 1_000)
        #expect(figure.nanoseconds == 500 && figure.allocations == 1)
        #expect(figure.megabytesPerSecond == 2_000)
        let elapsed = PartFigure("x", rounds, operations: 1, elapsed: true)
        #expect(elapsed.nanoseconds == 2 && elapsed.megabytesPerSecond == nil)
    }

    @Test(arguments: [
        (0, "0"), (1, "0.10"), (126, "12.6"), (999, "99.9"), (1_005, "101"), (30_000, "3000"),
        (98, "9.80"), (4, "0.40"),
    ])
    func `figures have three digits where they are small`(tenths: UInt64, text: String) {
        let figure = PartFigure("x", [sample(tenths, 0, 0)], operations: 10)
        #expect(figure.columns == [text, "", "0"])
    }

    @Test func `a step is done for as long as a round takes, and its allocations are counted`() {
        var allocations: UInt64 = 0
        var steps = 0
        var meter = PartMeter(rounds: 2, allocations: { allocations })
        meter.measure("x", operations: 10) {
            steps += 1
            allocations += 20
            return steps
        }
        #expect(meter.figures.count == 1)
        #expect(meter.figures.first?.allocations == 2)
        #expect(steps > 100)
    }

    @Test func `spent is never less than nothing`() {
        let less = sample(1, 5, 0) - sample(2, 3, 1)
        #expect(less == sample(0, 2, 0))
    }
}
