/// How often what went wrong.
struct FailureCounts: Equatable, Sendable, CustomStringConvertible {
    private var counts: [String: UInt64] = [:]
    private(set) var total: UInt64 = 0

    /// More kinds than a report has room for are one.
    private static let maxKinds = 32
    private static let rest = "other"

    mutating func add(_ kind: String, count: UInt64 = 1) {
        guard count > 0 else { return }
        let isKnown = counts[kind] != nil || counts.count < Self.maxKinds
        counts[isKnown ? kind : Self.rest, default: 0] += count
        total += count
    }

    mutating func merge(_ other: FailureCounts) {
        for (kind, count) in other.all { add(kind, count: count) }
    }

    /// By name.
    var all: [(kind: String, count: UInt64)] {
        counts.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    var description: String {
        all.map { "\($0.count) × \($0.kind)" }.joined(separator: ", ")
    }
}
