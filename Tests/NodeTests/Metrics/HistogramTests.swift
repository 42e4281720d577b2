import Testing

@testable import Node

@Suite struct HistogramTests {
    @Test func boundsAreInclusive() {
        var histogram = Histogram()
        for microseconds: UInt64 in [0, 1, 2, 5, 9, 10, 11, 20, 99, 100, 90_000_000, 90_000_001] {
            histogram.record(microseconds: microseconds)
        }
        #expect(histogram.count == 12)
        #expect(histogram.count(upToMicroseconds: 1) == 2)
        #expect(histogram.count(upToMicroseconds: 2) == 3)
        #expect(histogram.count(upToMicroseconds: 9) == 5)
        #expect(histogram.count(upToMicroseconds: 10) == 6)
        #expect(histogram.count(upToMicroseconds: 20) == 8)
        #expect(histogram.count(upToMicroseconds: 100) == 10)
        #expect(histogram.count(upToMicroseconds: 90_000_000) == 11)
    }

    @Test func quantilesAreRightToTheWidthOfABucket() throws {
        var histogram = Histogram()
        #expect(histogram.microseconds(atQuantile: 0.5) == nil)
        for microseconds: UInt64 in 1...10_000 { histogram.record(microseconds: microseconds) }
        for quantile in [0.01, 0.25, 0.5, 0.9, 0.99, 1] {
            let exact = quantile * 10_000
            let found = Double(try #require(histogram.microseconds(atQuantile: quantile)))
            #expect(found >= exact && found <= exact * 1.5 + 1)
        }
        #expect(histogram.microseconds(atQuantile: 1) == 10_000)
        #expect(histogram.sumMicroseconds == 50_005_000)
    }

    @Test func nanosecondsAreCutToMicroseconds() {
        var histogram = Histogram()
        histogram.record(nanoseconds: 1_999)
        #expect(histogram.sumMicroseconds == 1)
    }

    @Test func hugeDurationsSaturateInsteadOfTrapping() {
        var histogram = Histogram()
        histogram.record(microseconds: .max)
        histogram.record(microseconds: .max)
        #expect(histogram.sumMicroseconds == .max)
        #expect(histogram.microseconds(atQuantile: 0.5) == .max)
    }

    @Test func everyExposedBoundIsABucketsBound() {
        var histogram = Histogram()
        histogram.record(microseconds: 1)
        for bound in Histogram.exposedBoundsMicroseconds {
            #expect(histogram.count(upToMicroseconds: bound) == 1)
        }
        #expect(Histogram.exposedBoundsMicroseconds.first == 1)
        #expect(Histogram.exposedBoundsMicroseconds.last == 50_000_000)
    }
}
