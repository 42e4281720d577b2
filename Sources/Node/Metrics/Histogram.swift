/// How often durations fell into buckets of fixed bounds, from a microsecond on: 1, 2, 3, … 9, 10, 20,
/// … 90 s, each bound inclusive.
///
/// Recording takes a few nanoseconds and no memory, so it may stand anywhere; a quantile is its bucket's
/// upper bound: at most twice too high at the low end of a decade, a ninth at the high end.
struct Histogram: Sendable {
    private static let decades = 8
    private static let bucketsPerDecade = 9
    /// The last bucket takes everything above 90 s.
    private static let bucketCount = decades * bucketsPerDecade + 1

    private var counts = InlineArray<73, UInt64>(repeating: 0)
    private(set) var count: UInt64 = 0
    private(set) var sumMicroseconds: UInt64 = 0
    private(set) var maxMicroseconds: UInt64 = 0

    init() {
        precondition(counts.count == Self.bucketCount)
    }

    mutating func record(nanoseconds: UInt64) {
        record(microseconds: nanoseconds / 1_000)
    }

    mutating func record(microseconds: UInt64) {
        counts[Self.bucket(of: microseconds)] += 1
        count += 1
        // Saturates rather than trap after half a million years of durations.
        let (sum, overflow) = sumMicroseconds.addingReportingOverflow(microseconds)
        sumMicroseconds = overflow ? .max : sum
        if microseconds > maxMicroseconds { maxMicroseconds = microseconds }
    }

    /// Durations of at most that bound; the bound is one of the histogram's.
    func count(upToMicroseconds bound: UInt64) -> UInt64 {
        let last = Self.bucket(of: bound)
        precondition(Self.bound(ofBucket: last) == bound, "the bound is that of a bucket")
        var total: UInt64 = 0
        for bucket in 0...last { total += counts[bucket] }
        return total
    }

    /// An upper bound of the given share of durations, in microseconds; nil if there are none.
    ///
    /// - Parameter quantile: from 0 to 1.
    func microseconds(atQuantile quantile: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((quantile * Double(count)).rounded(.up)))
        var total: UInt64 = 0
        for bucket in 0..<Self.bucketCount - 1 {
            total += counts[bucket]
            if total >= rank { return min(Self.bound(ofBucket: bucket), maxMicroseconds) }
        }
        return maxMicroseconds
    }

    private static func bucket(of microseconds: UInt64) -> Int {
        guard microseconds > 1 else { return 0 }
        var size: UInt64 = 1
        var decade = 0
        // Above 9 × 10^k the next decade begins: 10 × 10^k is its first bound.
        while microseconds > size * 9 {
            size *= 10
            decade += 1
            if decade == decades { return bucketCount - 1 }
        }
        return decade * bucketsPerDecade + Int((microseconds + size - 1) / size) - 1
    }

    private static func bound(ofBucket bucket: Int) -> UInt64 {
        var bound = UInt64(bucket % bucketsPerDecade + 1)
        for _ in 0..<bucket / bucketsPerDecade { bound *= 10 }
        return bound
    }

    /// What is told to Prometheus: 1, 2 and 5 of every decade.
    static let exposedBoundsMicroseconds: [UInt64] = {
        var bounds: [UInt64] = []
        var size: UInt64 = 1
        for _ in 0..<decades {
            bounds += [size, 2 * size, 5 * size]
            size *= 10
        }
        return bounds
    }()
}
