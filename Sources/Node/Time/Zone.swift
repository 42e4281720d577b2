/// A time zone: the offsets from UTC over all time.
///
/// A zone's rule for the far future repeats with the calendar, every 400 years to the day and weekday,
/// so the table holds one such cycle after the last recorded change and later instants are folded back
/// into it. Everything is then a binary search, for any year.
struct Zone: Equatable, Sendable {
    let name: String
    /// Instants, in seconds since the epoch, at which the offset changes; ascending.
    private let changes: [Int64]
    /// Seconds east of UTC from the change of the same index on.
    private let offsets: [Int32]
    /// Seconds east of UTC before the first change.
    private let initialOffset: Int32
    /// Instants from here on are folded back by whole cycles.
    private let foldedFrom: Int64
    /// Instants before here are folded forward: a zone given by a rule alone, which holds for all time.
    private let foldedUntil: Int64

    static let utc = Zone(name: "UTC", offsetSeconds: 0)

    /// 146,097 days.
    private static let cycleSeconds: Int64 = 146_097 * 86_400

    /// A zone that never changes.
    init(name: String, offsetSeconds: Int32) {
        self.init(name: name, changes: [], initialOffset: offsetSeconds, rule: nil)
    }

    /// A zone of recorded changes, and a rule for the time after the last of them.
    ///
    /// `changes` must ascend.
    init(
        name: String, changes recorded: [(instant: Int64, offset: Int32)], initialOffset: Int32,
        rule: PosixZoneRule?
    ) {
        var changes: [Int64] = []
        var offsets: [Int32] = []
        var start = initialOffset
        var foldedFrom = Int64.max
        var foldedUntil = Int64.min
        var current = initialOffset
        if recorded.isEmpty, let rule {
            start = rule.standardOffset
            current = start
        }
        func append(_ instant: Int64, _ offset: Int32) {
            precondition(changes.last.map { $0 <= instant } ?? true, "changes must ascend")
            // Of two changes at one instant the second counts: summer time that ends as it begins.
            if changes.last == instant {
                changes.removeLast()
                offsets.removeLast()
                current = offsets.last ?? start
            }
            // A change of the abbreviation alone is none to us.
            guard offset != current else { return }
            changes.append(instant)
            offsets.append(offset)
            current = offset
        }
        for change in recorded { append(change.instant, change.offset) }
        if let rule {
            let last = recorded.last?.instant
            let firstYear = last.map { CivilTime(seconds: $0).year } ?? 1970
            for change in rule.changes(inYears: firstYear - 1...firstYear + 402)
            where change.instant > last ?? Int64.min {
                append(change.instant, change.offset)
            }
            if recorded.isEmpty || rule.daylight != nil {
                let begin = CivilTime(year: firstYear + 1, month: 1, day: 1).seconds
                foldedFrom = begin + Self.cycleSeconds
                if recorded.isEmpty { foldedUntil = begin }
            }
        }
        self.name = name
        self.changes = changes
        self.offsets = offsets
        self.initialOffset = start
        self.foldedFrom = foldedFrom
        self.foldedUntil = foldedUntil
    }

    /// Seconds east of UTC at an instant in seconds since the epoch.
    func offset(at instant: Int64) -> Int64 {
        let folded = instant - shift(of: instant)
        return offset(ofSegment: segment(containing: folded))
    }

    /// A stretch of time with one offset.
    struct Segment: Equatable, Sendable {
        /// First instant; `Int64.min` if there is no change before.
        let start: Int64
        /// First instant after it; `Int64.max` if there is no change after.
        let end: Int64
        let offset: Int64
        let offsetBefore: Int64
        let offsetAfter: Int64
    }

    func segment(at instant: Int64) -> Segment {
        let shift = shift(of: instant)
        let index = segment(containing: instant - shift)
        let isFirst = index == 0
        let isLast = index == changes.count
        return Segment(
            start: isFirst ? .min : changes[index - 1] + shift,
            end: isLast ? .max : changes[index] + shift,
            offset: offset(ofSegment: index),
            offsetBefore: offset(ofSegment: isFirst ? index : index - 1),
            offsetAfter: offset(ofSegment: isLast ? index : index + 1))
    }

    /// What a reading of the local clock means.
    enum Reading: Equatable, Sendable {
        /// It happens at this instant.
        case once(Int64)
        /// The clock is put forward over it, at this instant.
        case gap(changeAt: Int64)
        /// The clock is put back over it, so that it happens at both.
        case twice(first: Int64, last: Int64)
    }

    /// The instants at which local clocks show a reading, given in seconds since 1970-01-01 00:00:00 of
    /// the same clock.
    func reading(local: Int64) -> Reading {
        var first: Int64?
        var last: Int64?
        var gap: Int64?
        // No offset is as large as two days, so what counts lies within two days of the reading.
        var segment = segment(at: local - 2 * 86_400)
        while true {
            let instant = local - segment.offset
            if instant >= segment.start, instant < segment.end {
                if first == nil { first = instant }
                last = instant
            }
            guard segment.end < local + 2 * 86_400 else { break }
            if gap == nil, instant >= segment.end, local - segment.offsetAfter < segment.end {
                gap = segment.end
            }
            segment = self.segment(at: segment.end)
        }
        if let first, let last {
            return first == last ? .once(first) : .twice(first: first, last: last)
        }
        guard let gap else { preconditionFailure("a reading is there or in a gap") }
        return .gap(changeAt: gap)
    }

    /// What must be taken from an instant to bring it into the table.
    private func shift(of instant: Int64) -> Int64 {
        if instant >= foldedFrom {
            return ((instant - foldedFrom) / Self.cycleSeconds + 1) * Self.cycleSeconds
        }
        if instant < foldedUntil {
            return -((foldedUntil - 1 - instant) / Self.cycleSeconds + 1) * Self.cycleSeconds
        }
        return 0
    }

    /// The number of changes at or before an instant.
    private func segment(containing instant: Int64) -> Int {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func offset(ofSegment index: Int) -> Int64 {
        Int64(index == 0 ? initialOffset : offsets[index - 1])
    }
}
