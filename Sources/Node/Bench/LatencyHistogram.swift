/// How often durations fell into buckets that grow with the duration: 128 for each doubling, so a quantile is at most
/// 1/128 above the true one. Below 256 ns each has a bucket of its own.
///
/// Its memory is fixed (36 KiB) and recording takes a few nanoseconds, so a load generator can record every request. The
/// idea is that of HdrHistogram.
struct LatencyHistogram: Sendable, Equatable {
    private static let precisionBits = 7
    private static let longestBits = 42
    /// Longer durations, of more than 73 minutes, count as this one.
    static let maxNanoseconds: UInt64 = (1 << UInt64(longestBits)) - 1
    private static let bucketCount = (longestBits - precisionBits + 1) << precisionBits

    private var counts = [UInt64](repeating: 0, count: bucketCount)
    private(set) var count: UInt64 = 0
    private(set) var minNanoseconds: UInt64 = .max
    private(set) var maxRecordedNanoseconds: UInt64 = 0

    mutating func record(_ nanoseconds: UInt64) {
        let value = min(nanoseconds, Self.maxNanoseconds)
        counts[Self.bucket(of: value)] += 1
        count += 1
        minNanoseconds = min(minNanoseconds, value)
        maxRecordedNanoseconds = max(maxRecordedNanoseconds, value)
    }

    /// The duration that so many millionths of all don't exceed; nil if there are none. 500,000 is the median, 1,000,000 the
    /// longest.
    func nanoseconds(atMillionths millionths: UInt64) -> UInt64? {
        precondition(millionths <= 1_000_000, "there are no more than all of them")
        guard count > 0 else { return nil }
        // Whole numbers: 0.999 × 1000 of a Double may be more than 999, and ask for one too far up.
        let (high, low) = count.multipliedFullWidth(by: millionths)
        let (quotient, remainder) = (1_000_000 as UInt64).dividingFullWidth((high, low))
        let rank = max(1, quotient + (remainder > 0 ? 1 : 0))
        var total: UInt64 = 0
        for bucket in counts.indices {
            total += counts[bucket]
            if total >= rank {
                return max(minNanoseconds, min(Self.last(of: bucket), maxRecordedNanoseconds))
            }
        }
        return maxRecordedNanoseconds
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >> (precisionBits + 1) > 0 else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - precisionBits
        return shift << precisionBits + Int(value >> UInt64(shift))
    }

    /// The longest duration that falls into a bucket.
    private static func last(of bucket: Int) -> UInt64 {
        guard bucket >> (precisionBits + 1) > 0 else { return UInt64(bucket) }
        let shift = bucket >> precisionBits - 1
        let head = UInt64(bucket - shift << precisionBits)
        return (head + 1) << UInt64(shift) - 1
    }
}
