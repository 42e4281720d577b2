/// Writes the text exposition format of Prometheus, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    enum Kind: String {
        case counter, gauge, histogram
    }

    init() {
        bytes.reserveCapacity(16 << 10)
    }

    /// Begins a metric: its samples follow.
    mutating func metric(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        line("# HELP \(name) \(help)")
        line("# TYPE \(name) \(kind.rawValue)")
    }

    /// - Parameter label: name and value.
    mutating func sample(
        _ name: StaticString, _ label: (StaticString, String)? = nil, _ value: UInt64
    ) {
        sample(name, label, text: String(value))
    }

    mutating func sample(
        _ name: StaticString, _ label: (StaticString, String)? = nil, _ value: Int64
    ) {
        sample(name, label, text: String(value))
    }

    mutating func sample(
        _ name: StaticString, _ label: (StaticString, String)? = nil, _ value: Double
    ) {
        sample(name, label, text: value.description)
    }

    /// A metric of one sample.
    mutating func gauge(_ name: StaticString, _ help: StaticString, _ value: Double) {
        metric(name, .gauge, help)
        sample(name, nil, value)
    }

    mutating func gauge(_ name: StaticString, _ help: StaticString, _ value: UInt64) {
        metric(name, .gauge, help)
        sample(name, nil, value)
    }

    mutating func counter(_ name: StaticString, _ help: StaticString, _ value: UInt64) {
        metric(name, .counter, help)
        sample(name, nil, value)
    }

    /// In seconds, as the conventions want it.
    mutating func histogram(
        _ name: StaticString, _ help: StaticString, _ histogram: borrowing Histogram
    ) {
        metric(name, .histogram, help)
        for bound in Histogram.exposedBoundsMicroseconds {
            let seconds = (Double(bound) / 1_000_000).description
            line(
                "\(name)_bucket{le=\"\(seconds)\"} \(histogram.count(upToMicroseconds: bound))")
        }
        line("\(name)_bucket{le=\"+Inf\"} \(histogram.count)")
        line("\(name)_sum \(Double(histogram.sumMicroseconds) / 1_000_000)")
        line("\(name)_count \(histogram.count)")
    }

    private mutating func sample(
        _ name: StaticString, _ label: (StaticString, String)?, text: String
    ) {
        if let (key, value) = label {
            line("\(name){\(key)=\"\(Self.escaped(value))\"} \(text)")
        } else {
            line("\(name) \(text)")
        }
    }

    private mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(0x0A)
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
