import Scheduler

/// Reads the parameters of a request's query by name and type, and gathers everything that is wrong with
/// them. A problem's pointer is `?name`.
struct QueryReader {
    private let parameters: [(name: String, value: String)]
    private var taken: [String] = []
    private var takenPrefix: String?
    private(set) var problems: [JSONProblem] = []

    init(_ parameters: [(name: String, value: String)]) {
        self.parameters = parameters
    }

    mutating func text(_ name: String, maxBytes: Int = Limits.maxNameBytes) -> String? {
        taken.append(name)
        let values = parameters.filter { $0.name == name }
        guard let value = values.first?.value else { return nil }
        guard values.count == 1 else {
            problem(name, "stands there \(values.count) times")
            return nil
        }
        guard !value.isEmpty, value.utf8.count <= maxBytes else {
            problem(name, "must have 1 to \(maxBytes) bytes")
            return nil
        }
        return value
    }

    /// All values of a parameter that may be repeated, or hold several with commas between.
    mutating func list(_ name: String) -> [String] {
        taken.append(name)
        return parameters.filter { $0.name == name }.flatMap { parameter in
            parameter.value.split(separator: ",").map(String.init)
        }
    }

    /// Parameters whose name begins so: rest of the name and value.
    mutating func prefixed(_ prefix: String) -> [(name: String, value: String)] {
        takenPrefix = prefix
        return parameters.filter { $0.name.hasPrefix(prefix) }.map {
            (String($0.name.dropFirst(prefix.count)), $0.value)
        }
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = text(name) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            problem(
                name,
                "\"\(value)\" is not a whole number between \(range.lowerBound) and "
                    + "\(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func bool(_ name: String) -> Bool? {
        guard let value = text(name) else { return nil }
        switch value {
        case "true": return true
        case "false": return false
        default:
            problem(name, "\"\(value)\" is neither true nor false")
            return nil
        }
    }

    mutating func durationMilliseconds(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = text(name) else { return nil }
        do {
            let milliseconds = try DurationText.parse(value)
            guard range.contains(milliseconds) else {
                problem(
                    name,
                    "\(value) is not between \(DurationText.format(range.lowerBound)) and "
                        + DurationText.format(range.upperBound))
                return nil
            }
            return milliseconds
        } catch {
            problem(name, error.description)
            return nil
        }
    }

    mutating func timestampMilliseconds(_ name: String) -> Int64? {
        guard let value = text(name) else { return nil }
        do {
            return try Timestamp.parse(value)
        } catch {
            problem(name, error.description)
            return nil
        }
    }

    mutating func problem(_ name: String, _ detail: String) {
        guard problems.count < JSONReader.maxProblems else { return }
        problems.append(JSONProblem(pointer: "?" + name, detail: detail))
    }

    /// Reports what nobody asked for.
    mutating func finish() {
        for (name, _) in parameters where !taken.contains(name) {
            if let takenPrefix, name.hasPrefix(takenPrefix) { continue }
            var detail = "unknown parameter \"\(name)\""
            if let nearest = Spelling.nearest(to: name, among: taken) {
                detail += "; did you mean \"\(nearest)\"?"
            }
            problem(name, detail)
        }
    }
}
