/// xoshiro256** (Blackman and Vigna), seeded by SplitMix64. All chance in a run comes from one seed, so a run
/// can be repeated; parts that must not disturb each other draw from forks.
struct RandomSource: Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    init(seed: UInt64) {
        var state = seed
        func split() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        s0 = split()
        s1 = split()
        s2 = split()
        s3 = split()
    }

    mutating func next() -> UInt64 {
        let product = s1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << 45) | (s3 >> 19)
        return result
    }

    /// Uniform in 0 ..< bound.
    mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0)
        return next().multipliedFullWidth(by: bound).high
    }

    mutating func index(_ count: Int) -> Int { Int(below(UInt64(count))) }

    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + index(range.count)
    }

    mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    mutating func chance(permille: Int) -> Bool { index(1_000) < permille }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[index(items.count)] }

    /// Mostly near the lower end and now and then far above it, as latencies are.
    mutating func latency(_ range: ClosedRange<UInt64>) -> UInt64 {
        let span = range.upperBound - range.lowerBound
        let shift = below(8)
        return range.lowerBound + below((span >> shift) + 1)
    }

    mutating func fork() -> RandomSource { RandomSource(seed: next()) }
}
