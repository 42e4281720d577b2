import Scheduler

/// When something recurs, as a cron expression says it.
///
/// Five fields (minute, hour, day of month, month, day of week) or six, with the second in front. Values,
/// ranges, steps, lists, names of months and days; Sunday is 0 or 7; `?` is `*` in the day fields, which
/// also take `L`, `L-3`, `LW`, `15W`, `5L` and `5#3` (`CronDayRule`). If both day fields are restricted,
/// either is enough. `H` and `a~b` are values that the schedule's name decides (`CronSpread`), `H/15` is every 15 from
/// such a value on. `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`;
/// `@every 1h30m`: whole multiples of the period since 1970, so that no change of leader shifts it. A
/// `CRON_TZ=` or `TZ=` in front names the zone. `@manually` is never: only triggered by hand.
///
/// When the clocks change, an expression with `*`, a range or a step in its second, minute or hour is an
/// *interval*: it runs through both copies of a repeated hour, and not at all in a skipped one. Any other
/// is *fixed*: once, in the first copy; and at the first instant after a skipped hour. A schedule may ask
/// for another treatment (`DaylightPolicy`).
struct Cron: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case calendar(CronCalendar)
        case every(periodMilliseconds: Int64)
        /// `@manually`
        case never
    }

    let text: String
    /// The zone that the expression itself names.
    let zoneName: String?
    let kind: Kind

    static let periodRangeMilliseconds: ClosedRange<Int64> = 100...DurationText.maxMilliseconds

    /// An occurrence, and what the clocks had to do with it.
    struct Occurrence: Equatable, Sendable {
        /// Milliseconds since the epoch.
        let instant: Int64
        let change: Change

        enum Change: Equatable, Sendable {
            case none
            /// Its time was skipped, and this is the first instant after it.
            case shifted
            /// Its time happens twice, and this is the second.
            case repeated
        }
    }

    /// The first occurrence after an instant, in milliseconds since the epoch; nil if there is none
    /// within 41 years (`0 0 31 2 *`).
    func next(
        after instant: Int64, in zone: Zone, daylight: DaylightPolicy = .automatic
    ) -> Int64? {
        nextOccurrence(after: instant, in: zone, daylight: daylight)?.instant
    }

    /// As `next`, and whether a change of the clocks moved or repeated it.
    func nextOccurrence(
        after instant: Int64, in zone: Zone, daylight: DaylightPolicy = .automatic
    ) -> Occurrence? {
        switch kind {
        case .never: return nil
        case .every(let period):
            return Occurrence(instant: Self.nextMultiple(of: period, after: instant), change: .none)
        case .calendar(let calendar):
            let isInterval = calendar.isInterval
            return CronWalk(
                calendar: calendar, zone: zone,
                gap: daylight.gap ?? (isInterval ? .skip : .shift),
                overlap: daylight.overlap ?? (isInterval ? .both : .first)
            ).next(fromSecond: CivilTime.floorDivide(instant, 1000) + 1)
        }
    }

    /// A reading of the clock at which nothing happens, because the clocks were put forward over it.
    struct SkippedReading: Equatable, Sendable {
        /// When they were, in milliseconds since the epoch.
        let instant: Int64
        /// Seconds since 1970-01-01 00:00:00 of the local clock.
        let local: Int64
    }

    /// What is skipped between two instants, both left out themselves; at most `limit`.
    func skipped(
        after first: Int64, before last: Int64, in zone: Zone, daylight: DaylightPolicy, limit: Int
    ) -> [SkippedReading] {
        guard case .calendar(let calendar) = kind,
            daylight.gap ?? (calendar.isInterval ? .skip : .shift) == .skip
        else { return [] }
        var result: [SkippedReading] = []
        var segment = zone.segment(at: CivilTime.floorDivide(first, 1000))
        while segment.end != .max, segment.end * 1000 < last {
            segment = zone.segment(at: segment.end)
            var local = segment.start + segment.offsetBefore
            while result.count < limit, let found = calendar.next(fromLocal: local),
                found < segment.start + segment.offset
            {
                result.append(SkippedReading(instant: segment.start * 1000, local: found))
                local = found + 1
            }
        }
        return result
    }

    /// The first multiple of a period, counted from the epoch and moved by the phase, after an instant; all in
    /// milliseconds.
    static func nextMultiple(of period: Int64, phase: Int64 = 0, after instant: Int64) -> Int64 {
        precondition(period > 0, "a period is positive")
        return (CivilTime.floorDivide(instant - phase, period) + 1) * period + phase
    }
}

/// The search for an occurrence through the stretches of a zone that have one offset.
private struct CronWalk {
    let calendar: CronCalendar
    let zone: Zone
    let gap: DaylightPolicy.Gap
    let overlap: DaylightPolicy.Overlap

    /// The last instant that RFC 3339 can write, in seconds.
    private static let lastSecond = Timestamp.range.upperBound / 1000

    func next(fromSecond first: Int64) -> Cron.Occurrence? {
        var instant = first
        var segment = zone.segment(at: instant)
        while instant <= Self.lastSecond {
            if instant == segment.start, let shifted = shifted(to: segment) { return shifted }
            let local = instant + segment.offset
            guard let found = calendar.next(fromLocal: local) else {
                // Nothing for 41 years; what changes of the clock add lies within a day of a reading.
                return nil
            }
            let repeatedEnd =
                segment.start == .min ? .min : segment.start + segment.offsetBefore
            let isRepeated = found < repeatedEnd
            if isRepeated, overlap == .first {
                instant = repeatedEnd - segment.offset
                if instant >= segment.end { segment = zone.segment(at: instant) }
                continue
            }
            let candidate = found - segment.offset
            let isBeforeItsLast =
                segment.end != .max && overlap == .last
                && found >= segment.end + segment.offsetAfter
            if candidate >= segment.end || isBeforeItsLast {
                guard segment.end != .max else { return nil }
                instant = segment.end
                segment = zone.segment(at: instant)
                continue
            }
            guard candidate <= Self.lastSecond else { return nil }
            return Cron.Occurrence(
                instant: candidate * 1000, change: isRepeated ? .repeated : .none)
        }
        return nil
    }

    /// The occurrences in the gap at the start of a segment, collapsed into one at its first instant.
    private func shifted(to segment: Zone.Segment) -> Cron.Occurrence? {
        guard gap == .shift, segment.offsetBefore < segment.offset else { return nil }
        let skipped = segment.start + segment.offsetBefore
        guard let found = calendar.next(fromLocal: skipped), found < segment.start + segment.offset
        else { return nil }
        return Cron.Occurrence(instant: segment.start * 1000, change: .shifted)
    }
}
