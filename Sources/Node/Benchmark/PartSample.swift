/// What was spent on something; or, when it is read off, what this thread and process have spent so far.
struct PartSample: Equatable {
    /// Of this thread alone.
    var processorNanoseconds: UInt64 = 0
    var elapsedNanoseconds: UInt64 = 0
    /// Of all threads.
    var allocations: UInt64 = 0

    static func += (left: inout PartSample, right: PartSample) {
        left.processorNanoseconds += right.processorNanoseconds
        left.elapsedNanoseconds += right.elapsedNanoseconds
        left.allocations += right.allocations
    }

    /// Less than nothing is nothing.
    static func - (left: PartSample, right: PartSample) -> PartSample {
        func less(_ left: UInt64, _ right: UInt64) -> UInt64 { left - min(left, right) }
        return PartSample(
            processorNanoseconds: less(left.processorNanoseconds, right.processorNanoseconds),
            elapsedNanoseconds: less(left.elapsedNanoseconds, right.elapsedNanoseconds),
            allocations: less(left.allocations, right.allocations))
    }
}
