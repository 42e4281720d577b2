/// Finds the name that a mistyped one was meant to be.
enum Spelling {
    /// Longer names than this are compared with nothing: the work grows with the square.
    private static let maxBytes = 64

    /// The nearest of the names if it is near enough to be meant; the first of equals.
    static func nearest(to name: String, among names: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= maxBytes else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in names {
            let bytes = Array(candidate.lowercased().utf8)
            guard bytes.count <= maxBytes else { continue }
            let distance = distance(wanted, bytes)
            let bound = max(1, min(wanted.count, bytes.count) / 3)
            if distance <= bound, best.map({ distance < $0.distance }) ?? true {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string
    /// alignment).
    static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...other.count)
        for row in 0..<one.count {
            var current = [row + 1]
            current.reserveCapacity(other.count + 1)
            for column in 0..<other.count {
                let change = one[row] == other[column] ? 0 : 1
                var least = min(last[column] + change, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column]
                {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[other.count]
    }
}
