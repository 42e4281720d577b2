/// What one step costs.
struct PartFigure: Equatable {
    let name: String
    let nanoseconds: Double
    /// 0: bytes say nothing about it.
    let bytes: Int
    let allocations: Double

    /// The median of what each round took.
    ///
    /// - Parameters:
    ///   - operations: of each round.
    ///   - bytes: of each operation.
    ///   - elapsed: the time counts that has passed, not the processor's.
    init(
        _ name: String, _ rounds: [PartSample], operations: Int, bytes: Int = 0,
        elapsed: Bool = false
    ) {
        precondition(!rounds.isEmpty && operations > 0)
        self.name = name
        self.bytes = bytes
        nanoseconds =
            Self.median(rounds.map { elapsed ? $0.elapsedNanoseconds : $0.processorNanoseconds })
            / Double(operations)
        allocations = Self.median(rounds.map(\.allocations)) / Double(operations)
    }

    var megabytesPerSecond: Double? {
        bytes > 0 && nanoseconds > 0 ? Double(bytes) / nanoseconds * 1_000 : nil
    }

    /// Nanoseconds, megabytes a second, allocations.
    var columns: [String] {
        [
            Self.text(nanoseconds), megabytesPerSecond.map { Self.text($0) } ?? "",
            Self.text(allocations),
        ]
    }

    private static func median(_ values: [UInt64]) -> Double {
        Double(values.sorted()[values.count / 2])
    }

    /// With hundredths below 10, tenths below 100.
    private static func text(_ value: Double) -> String {
        let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        let scale = digits == 2 ? 100 : digits == 1 ? 10 : 1
        let scaled = Int((value * Double(scale)).rounded())
        guard digits > 0, scaled > 0 else { return "\(scaled)" }
        let fraction = "\(scaled % scale)"
        return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count)
            + fraction
    }
}
