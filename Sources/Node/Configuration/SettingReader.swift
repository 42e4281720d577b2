import Scheduler

/// A setting's text, and where it stands: a JSON pointer or the name of an environment variable.
struct LocatedText {
    var text: String
    var place: String
}

/// Reads single settings, from the environment if they stand there and from the file if not, and
/// gathers what is wrong with them.
struct SettingReader {
    private(set) var environment: EnvironmentOverrides
    private(set) var problems: [JSONProblem] = []

    /// Stands in for an object that the file leaves out: the environment may still set what is in it.
    private static let absent: JSONValue = {
        do {
            return try JSONDocument("{}").root
        } catch {
            preconditionFailure("an empty object is JSON")
        }
    }()

    init(environment: [String: String]) {
        self.environment = EnvironmentOverrides(environment)
    }

    mutating func problem(_ place: String, _ detail: String) {
        problems.append(JSONProblem(pointer: place, detail: detail))
    }

    mutating func take(_ path: [String]) -> (name: String, value: String)? {
        environment.take(path)
    }

    /// Reads the members of an object that may be left out.
    mutating func section(
        _ name: String, of reader: inout JSONReader,
        _ body: (inout SettingReader, inout JSONReader) -> Void
    ) {
        let isPresent = reader.object(name) { body(&self, &$0) }
        guard !isPresent else { return }
        let place = JSONPointer.appending(name, to: reader.pointer)
        var empty = JSONReader(Self.absent, pointer: place)
        body(&self, &empty)
        reader.add(empty.problems)
    }

    /// - Parameter path: Names of the objects around the setting, and its own.
    mutating func text(
        _ path: [String], of reader: inout JSONReader, required: Bool = false
    ) -> LocatedText? {
        let name = path[path.count - 1]
        let maxBytes = ClusterConfiguration.maxTextBytes
        if let (variable, value) = environment.take(path) {
            _ = reader.value(name)
            guard !value.isEmpty, value.utf8.count <= maxBytes else {
                problem(variable, "must not be empty or longer than \(maxBytes) bytes")
                return nil
            }
            return LocatedText(text: value, place: variable)
        }
        let text = reader.string(
            name, maxBytes: maxBytes, allowEmpty: false, required: required)
        let place = JSONPointer.appending(name, to: reader.pointer)
        return text.map { LocatedText(text: $0, place: place) }
    }

    mutating func endpoint(_ path: [String], of reader: inout JSONReader) -> Endpoint? {
        guard let setting = text(path, of: &reader, required: true) else { return nil }
        do {
            let endpoint = try Endpoint(setting.text)
            guard endpoint.port != 0 else {
                problem(setting.place, "port 0 is no address that others could connect to")
                return nil
            }
            return endpoint
        } catch {
            problem(setting.place, error.description)
            return nil
        }
    }

    mutating func durationMilliseconds(
        _ path: [String], of reader: inout JSONReader, in range: ClosedRange<Milliseconds>
    ) -> Milliseconds? {
        guard let setting = text(path, of: &reader) else { return nil }
        do {
            let milliseconds = try DurationText.parse(setting.text)
            guard range.contains(milliseconds) else {
                problem(
                    setting.place,
                    "\(setting.text) is not between \(DurationText.format(range.lowerBound)) and "
                        + DurationText.format(range.upperBound))
                return nil
            }
            return milliseconds
        } catch {
            problem(setting.place, error.description)
            return nil
        }
    }

    mutating func integer(
        _ path: [String], of reader: inout JSONReader, in range: ClosedRange<Int64>
    ) -> Int64? {
        let name = path[path.count - 1]
        guard let (variable, value) = environment.take(path) else {
            return reader.integer(name, in: range)
        }
        _ = reader.value(name)
        guard let number = Int64(value), range.contains(number) else {
            problem(
                variable,
                "\"\(value)\" is not a whole number between \(range.lowerBound) and "
                    + "\(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func bool(_ path: [String], of reader: inout JSONReader) -> Bool? {
        let name = path[path.count - 1]
        guard let (variable, value) = environment.take(path) else { return reader.bool(name) }
        _ = reader.value(name)
        switch value {
        case "true": return true
        case "false": return false
        default:
            problem(variable, "\"\(value)\" is neither \"true\" nor \"false\"")
            return nil
        }
    }
}
