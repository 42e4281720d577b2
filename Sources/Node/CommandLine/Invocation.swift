/// What one run of a command was given, read by name and type. The command's name and options are known to
/// be well-formed; what their values mean is checked here.
struct Invocation {
    let path: [String]
    let operands: [String]
    let values: [String: [String]]
    let console: Console

    /// The same, as if these options had not been given.
    func without(_ names: [String]) -> Invocation {
        Invocation(
            path: path, operands: operands,
            values: values.filter { !names.contains($0.key) }, console: console)
    }

    func flag(_ name: String) -> Bool { values[name] != nil }

    func value(_ name: String) -> String? { values[name]?.last }

    func list(_ name: String) -> [String] { values[name] ?? [] }

    func integer(
        _ name: String, in range: ClosedRange<Int64>
    ) throws(CommandFailure) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw .usage(
                "--\(name) \(text): expected a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    func durationMilliseconds(_ name: String) throws(CommandFailure) -> Int64? {
        guard let text = value(name) else { return nil }
        do {
            return try DurationText.parse(text)
        } catch {
            throw .usage("--\(name): \(error.description)")
        }
    }

    /// A duration, checked and passed on as it was written.
    func duration(_ name: String) throws(CommandFailure) -> String? {
        _ = try durationMilliseconds(name)
        return value(name)
    }

    /// An instant, checked and passed on as it was written.
    func timestamp(_ name: String) throws(CommandFailure) -> String? {
        guard let text = value(name) else { return nil }
        do {
            _ = try Timestamp.parse(text)
            return text
        } catch {
            throw .usage("--\(name): \(error.description)")
        }
    }

    /// One of a few words.
    func choice(_ name: String, of words: [String]) throws(CommandFailure) -> String? {
        guard let word = value(name) else { return nil }
        guard words.contains(word) else {
            let others = words.dropLast().joined(separator: ", ")
            throw .usage("--\(name) \(word): expected \(others) or \(words.last ?? "")")
        }
        return word
    }

    /// Pairs written as `name=value`.
    func pairs(_ name: String) throws(CommandFailure) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for text in list(name) {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw .usage("--\(name) \(text): expected NAME=VALUE")
            }
            let key = String(text[..<equals])
            if result.contains(where: { $0.name == key }) {
                throw .usage("--\(name) names \(key) twice")
            }
            result.append((key, String(text[text.index(after: equals)...])))
        }
        return result
    }

    // MARK: Output

    enum OutputFormat {
        case table, json
    }

    /// What was asked for; nil: the default.
    func askedOutput() throws(CommandFailure) -> OutputFormat? {
        switch value("output") {
        case nil: return nil
        case "table": return .table
        case "json": return .json
        case .some(let other): throw .usage("--output \(other): expected table or json")
        }
    }

    func output() throws(CommandFailure) -> OutputFormat {
        try askedOutput() ?? (console.isOutputTerminal ? .table : .json)
    }

    // MARK: Cluster

    func client() throws(CommandFailure) -> ClusterClient {
        let given = value("server") ?? Environment.value("CARILLON_SERVER") ?? ""
        let text = given.isEmpty ? ServerList.defaultText : given
        let servers = try ServerList.parse(text)
        let token = value("token") ?? Environment.value("CARILLON_TOKEN")
        if let token, token.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            throw .usage("the token holds spaces or control characters")
        }
        let namespace = value("namespace") ?? Environment.value("CARILLON_NAMESPACE") ?? ""
        guard namespace.isEmpty || NameRule.isID(namespace) else {
            throw .usage("--namespace \(namespace): expected \(NameRule.id)")
        }
        return ClusterClient(
            servers: servers, token: token.flatMap { $0.isEmpty ? nil : $0 },
            namespace: namespace.isEmpty ? nil : namespace)
    }
}
