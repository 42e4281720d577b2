/// Numbers of lines as people read them: `lines 3, 5 to 1000`.
enum LineRanges {
    /// More ranges than this are counted, not listed.
    private static let maxListed = 20

    /// - Parameter numbers: Ascending, each once, at least one.
    static func text(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        let texts = ranges.prefix(maxListed).map { range in
            range.count == 1
                ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        }
        let rest = ranges.dropFirst(maxListed).reduce(0) { $0 + $1.count }
        return (numbers.count == 1 ? "line " : "lines ") + texts.joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
    }
}
