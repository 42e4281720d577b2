import Testing

@testable import Node

struct ArrivalTimesTests {
    private func all(_ arrivals: ArrivalTimes) -> [UInt64] {
        var arrivals = arrivals
        var times: [UInt64] = []
        while let time = arrivals.take(at: .max) { times.append(time) }
        return times
    }

    @Test func `they come evenly, and none at the end`() {
        let times = all(ArrivalTimes(start: 1_000, end: 1_000_001_000, ratePerSecond: 4))
        #expect(times == [1_000, 250_001_000, 500_001_000, 750_001_000])
    }

    /// A third of a second is no whole number of nanoseconds.
    @Test(arguments: [3, 7, 999, 12_345] as [UInt64])
    func `errors of division don't add up`(rate: UInt64) {
        let seconds: UInt64 = 2
        let times = all(
            ArrivalTimes(start: 17, end: 17 + seconds * 1_000_000_000, ratePerSecond: rate))
        #expect(UInt64(times.count) == seconds * rate)
        #expect(times[Int(rate)] == 17 + 1_000_000_000)
        let widths = Set(zip(times, times.dropFirst()).map { $1 - $0 })
        #expect(widths.count <= 2 && (widths.max() ?? 0) - (widths.min() ?? 0) <= 1)
    }

    @Test func `none is taken before its time, and those that are late keep it`() {
        var arrivals = ArrivalTimes(start: 100, end: 1_000_000_100, ratePerSecond: 1_000)
        #expect(arrivals.take(at: 99) == nil)
        #expect(arrivals.take(at: 100) == 100)
        #expect(arrivals.take(at: 100) == nil)
        #expect(arrivals.next == 1_000_100)
        // The client was away for three of them.
        #expect(arrivals.waiting(at: 3_500_000) == 3)
        for expected: UInt64 in [1_000_100, 2_000_100, 3_000_100] {
            #expect(arrivals.take(at: 3_500_000) == expected)
        }
        #expect(arrivals.take(at: 3_500_000) == nil)
        #expect(arrivals.waiting(at: 3_500_000) == 0)
    }

    @Test(arguments: [1, 3, 1_000, 4_321] as [UInt64])
    func `what waits is what could be taken`(rate: UInt64) {
        let end: UInt64 = 3_000_000_500
        var random = SeededGenerator(seed: rate)
        for _ in 0..<20 {
            var arrivals = ArrivalTimes(start: 500, end: end, ratePerSecond: rate)
            let first = UInt64.random(in: 0...end + 10, using: &random)
            let second = UInt64.random(in: 0...end + 10, using: &random)
            for now in [min(first, second), max(first, second)] {
                let waiting = arrivals.waiting(at: now)
                var taken: UInt64 = 0
                while arrivals.take(at: now) != nil { taken += 1 }
                #expect(waiting == taken, "\(rate) \(now)")
                #expect(arrivals.waiting(at: now) == 0)
            }
        }
    }
}
