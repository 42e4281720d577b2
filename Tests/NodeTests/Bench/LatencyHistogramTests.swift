import Testing

@testable import Node

struct LatencyHistogramTests {
    private static let quantiles: [UInt64] = [
        0, 1, 100_000, 500_000, 900_000, 990_000, 999_000, 999_999, 1_000_000,
    ]

    /// Against sorted values, over nine decades: never below the true quantile, and at most 1/128 above.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `quantiles are within a hundredth`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<20_000 {
            let value = random.next() >> UInt64.random(in: 23...63, using: &random)
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        for millionths in Self.quantiles {
            let rank = max(1, (values.count * Int(millionths) + 999_999) / 1_000_000)
            let exact = values[rank - 1]
            let found = try #require(histogram.nanoseconds(atMillionths: millionths))
            #expect(found >= exact && found <= exact + exact / 128, "\(millionths): \(exact)")
        }
        #expect(histogram.count == 20_000)
        #expect(histogram.maxRecordedNanoseconds == values.last)
        #expect(histogram.minNanoseconds == values.first)
    }

    @Test func `small durations and the ranks of round shares are exact`() {
        var histogram = LatencyHistogram()
        for value: UInt64 in 1...200 { histogram.record(value) }
        #expect(histogram.nanoseconds(atMillionths: 500_000) == 100)
        #expect(histogram.nanoseconds(atMillionths: 990_000) == 198)
        #expect(histogram.nanoseconds(atMillionths: 990_001) == 199)
        #expect(histogram.nanoseconds(atMillionths: 1_000_000) == 200)
    }

    @Test func `without a duration there is no quantile`() {
        let histogram = LatencyHistogram()
        #expect(histogram.nanoseconds(atMillionths: 500_000) == nil)
    }

    @Test func `every bucket holds what falls into it`() throws {
        for bit in 0..<42 {
            for value in [1 << bit, (1 << bit) + 1, (2 << bit) - 1] as [UInt64] {
                var histogram = LatencyHistogram()
                histogram.record(0)
                histogram.record(value)
                histogram.record(LatencyHistogram.maxNanoseconds)
                let found = try #require(histogram.nanoseconds(atMillionths: 666_666))
                #expect(found >= value && found <= value + value / 128, "\(value)")
            }
        }
    }

    @Test func `extremes neither trap nor get lost`() {
        var histogram = LatencyHistogram()
        for value in [0, UInt64.max, .max, LatencyHistogram.maxNanoseconds] {
            histogram.record(value)
        }
        #expect(histogram.count == 4)
        #expect(histogram.nanoseconds(atMillionths: 0) == 0)
        #expect(
            histogram.nanoseconds(atMillionths: 1_000_000) == LatencyHistogram.maxNanoseconds)
    }
}
