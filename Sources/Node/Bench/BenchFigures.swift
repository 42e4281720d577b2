/// One figure of a measurement: for people by its title, for programs by its name, whose last word is the unit.
struct BenchFigure {
    enum Value {
        case text(String)
        case count(UInt64)
        case perSecond(Double)
        case nanoseconds(UInt64?)
        case milliseconds(Int64?)
        case bytes(UInt64)
        case share(Double)
        case seconds(Double)
        case failures(FailureCounts)
    }

    let title: String
    let name: String
    let value: Value

    init(_ title: String, _ name: String, _ value: Value) {
        self.title = title
        self.name = name
        self.value = value
    }

    var shown: String {
        switch value {
        case .text(let text): text
        case .count(let count): String(count)
        case .perSecond(let rate): String(UInt64(rate.rounded()))
        case .nanoseconds(nil), .milliseconds(nil): "–"
        case .nanoseconds(.some(let value)): Self.decimal(Double(value) / 1e6) + " ms"
        case .milliseconds(.some(let value)): "\(value) ms"
        case .bytes(let bytes): Self.decimal(Double(bytes) / 1e6) + " MB"
        case .share(let share): Self.decimal(share * 100, digits: 1) + " %"
        case .seconds(let seconds): Self.decimal(seconds) + " s"
        case .failures(let failures) where failures.total == 0: "none"
        case .failures(let failures): failures.description
        }
    }

    func write(to writer: inout JSONWriter) {
        let name = JSONName(self.name)
        switch value {
        case .text(let text): writer.field(name, text)
        case .count(let count): writer.field(name, count)
        case .bytes(let bytes): writer.field(name, bytes)
        case .perSecond(let rate): writer.field(name, Self.rounded(rate, 1))
        case .share(let value): writer.field(name, Self.rounded(value, 4))
        case .seconds(let value): writer.field(name, Self.rounded(value, 3))
        case .nanoseconds(nil), .milliseconds(nil): writer.nullField(name)
        case .nanoseconds(.some(let value)):
            writer.field(name, Self.rounded(Double(value) / 1e6, 4))
        case .milliseconds(.some(let value)): writer.field(name, value)
        case .failures(let failures):
            writer.key(name)
            writer.beginObject()
            for (kind, count) in failures.all { writer.field(JSONName(kind), count) }
            writer.endObject()
        }
    }

    private static func rounded(_ value: Double, _ digits: Int) -> Double {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        return (value * scale).rounded() / scale
    }

    /// Three figures at least, as many digits behind the point as that takes.
    private static func decimal(_ value: Double, digits: Int? = nil) -> String {
        let digits = digits ?? (value < 10 ? 2 : value < 100 ? 1 : 0)
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((value * scale).rounded())
        guard digits > 0 else { return String(whole) }
        let step = Int64(scale)
        let fraction = String(whole.magnitude % UInt64(step))
        let sign = whole < 0 ? "-" : ""
        return "\(sign)\(whole.magnitude / UInt64(step))."
            + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

/// The figures of one measurement, in the order in which they are told.
struct BenchFigures {
    private(set) var all: [BenchFigure] = []

    mutating func add(_ title: String, _ name: String, _ value: BenchFigure.Value) {
        all.append(BenchFigure(title, name, value))
    }

    /// Median, tails and longest of a histogram. `name` as in `latency`, `title` as in `latency`.
    mutating func add(_ title: String, _ name: String, _ histogram: LatencyHistogram) {
        let prefix = title.isEmpty ? "" : title + " "
        for (shown, spelled, millionths) in [
            ("p50", "P50", 500_000), ("p90", "P90", 900_000), ("p99", "P99", 990_000),
            ("p99.9", "P999", 999_000), ("max", "Max", 1_000_000),
        ] as [(String, String, UInt64)] {
            add(
                prefix + shown, "\(name)\(spelled)Milliseconds",
                .nanoseconds(histogram.nanoseconds(atMillionths: millionths)))
        }
    }

    /// What the generator itself took.
    mutating func add(_ usage: GeneratorUsage) {
        add("own CPU", "generatorCPUSeconds", .seconds(Double(usage.cpuMicroseconds) / 1e6))
        add("share", "generatorCPUShare", .share(usage.share))
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for figure in all { figure.write(to: &writer) }
        writer.endObject()
    }
}

/// What a measurement found, run by run.
struct BenchReport {
    let bench: String
    /// The cluster, and what was asked for.
    var settings = BenchFigures()
    var runs: [BenchFigures] = []

    init(_ bench: String) {
        self.bench = bench
    }

    func print(_ format: Invocation.OutputFormat, on console: Console) {
        switch format {
        case .json:
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("bench", bench)
            for figure in settings.all { figure.write(to: &writer) }
            writer.key("runs")
            writer.beginArray()
            for run in runs { run.write(to: &writer) }
            writer.endArray()
            writer.endObject()
            console.write(writer.bytes + [0x0A])
        case .table:
            let words = settings.all.map { "\($0.title) \($0.shown)" }.joined(separator: ", ")
            console.print(Style.faint.applied(to: words, on: console))
            if runs.count == 1 {
                var details = TextDetails()
                for figure in runs[0].all { details.append(figure.title, figure.shown) }
                details.print(on: console)
            } else if let first = runs.first {
                var table = TextTable(first.all.map { $0.title.uppercased() })
                for run in runs { table.append(run.all.map { TextTable.Cell($0.shown) }) }
                table.print(on: console)
            }
        }
    }
}
