/// A schedule as the log knows it.
struct ScheduleRecord: Equatable, Sendable {
    let name: String
    var revision: UInt64
    /// An encoded `ScheduleSpec`: the state machine needs its task only, when it fires.
    var spec: [UInt8]
    var isPaused: Bool
    let createdAt: Milliseconds
    /// Kept while paused, so that the occurrences that are skipped meanwhile can be counted.
    var next: Milliseconds?
    /// The last one that was decided about by itself.
    var last: Milliseconds?
    var lastTask: TaskID?
    /// An occurrence that waits for those before it to end.
    var buffered: Milliseconds?
    /// The release of the time-zone data by which `next` was computed.
    var zoneData: String?
    var ran: UInt64 = 0
    var skipped: UInt64 = 0
    var missed: UInt64 = 0
    var expired: UInt64 = 0
    /// Log time of the last trigger, and how many there were at that millisecond.
    var triggeredAt: Milliseconds?
    var triggersAtThatTime: UInt32 = 0
    var history = ScheduleHistory()
    var backfill: Backfill?
    /// Occurrences that were made up for.
    var backfilled: UInt64 = 0

    /// It is due at this instant; nil: not by itself.
    var wakeAt: Milliseconds? { isPaused ? nil : next }

    /// At most 255 bytes, of `A-Z a-z 0-9 . _ -`, not beginning with a dot, perhaps with a namespace of the same in
    /// front: occurrence ids stand in JSON, paths and environment variables unescaped.
    static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= Limits.maxNameBytes else { return false }
        let namespace = Namespace(of: text)
        let bare = Namespace.bare(text)
        return isPart(bare) && isPart(namespace.name) && namespace.qualified(bare) == text
    }

    private static func isPart(_ text: String) -> Bool {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.first != UInt8(ascii: ".") else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}

/// Schedules sorted by name (ASCII), in pages that are split when they are full; after a copy a mutation copies
/// one page.
struct ScheduleTable: Sendable {
    private static let pageSize = 256

    /// None is empty.
    private(set) var pages: [[ScheduleRecord]] = []
    private(set) var count = 0

    struct Position {
        fileprivate var page: Int
        fileprivate var row: Int
    }

    subscript(position: Position) -> ScheduleRecord {
        _read { yield pages[position.page][position.row] }
        _modify { yield &pages[position.page][position.row] }
    }

    func position(of name: String) -> Position? {
        guard let place = lowerBound(of: name), place.row < pages[place.page].count,
            pages[place.page][place.row].name == name
        else { return nil }
        return place
    }

    /// There is no schedule of that name.
    mutating func insert(_ record: ScheduleRecord) {
        count += 1
        guard let place = lowerBound(of: record.name) else {
            pages.append([record])
            return
        }
        pages[place.page].insert(record, at: place.row)
        let page = pages[place.page]
        guard page.count > Self.pageSize else { return }
        pages[place.page] = Array(page[..<(page.count / 2)])
        pages.insert(Array(page[(page.count / 2)...]), at: place.page + 1)
    }

    mutating func remove(at position: Position) {
        count -= 1
        pages[position.page].remove(at: position.row)
        if pages[position.page].isEmpty { pages.remove(at: position.page) }
    }

    /// Up to `limit` schedules in order, those behind `name`.
    func records(after name: String?, limit: Int) -> [ScheduleRecord] {
        guard limit > 0 else { return [] }
        var records: [ScheduleRecord] = []
        var place = Position(page: 0, row: 0)
        if let name {
            guard let found = lowerBound(of: name) else { return [] }
            place = found
        }
        while place.page < pages.count {
            for record in pages[place.page][place.row...] where record.name != name {
                records.append(record)
                if records.count == limit { return records }
            }
            place = Position(page: place.page + 1, row: 0)
        }
        return records
    }

    /// Up to `limit` schedules of the namespace in order, those behind `after`, which is a name within it.
    func records(in namespace: Namespace, after: String?, limit: Int) -> [ScheduleRecord] {
        let start = namespace.start(after: after)
        var records: [ScheduleRecord] = []
        guard var place = lowerBound(of: start) else { return [] }
        while records.count < limit, place.page < pages.count {
            guard place.row < pages[place.page].count else {
                place = Position(page: place.page + 1, row: 0)
                continue
            }
            let name = pages[place.page][place.row].name
            switch namespace.step(at: name) {
            case .take:
                if name != start { records.append(pages[place.page][place.row]) }
                place.row += 1
            case .skip(let next):
                guard let behind = lowerBound(of: next) else { return records }
                place = behind
            case .end: return records
            }
        }
        return records
    }

    /// Where `name` is or would be inserted; nil if there are no pages.
    private func lowerBound(of name: String) -> Position? {
        guard !pages.isEmpty else { return nil }
        var low = 0
        var high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if pages[middle][0].name <= name { low = middle + 1 } else { high = middle }
        }
        let page = max(0, low - 1)
        low = 0
        high = pages[page].count
        while low < high {
            let middle = (low + high) / 2
            if pages[page][middle].name < name { low = middle + 1 } else { high = middle }
        }
        return Position(page: page, row: low)
    }
}
