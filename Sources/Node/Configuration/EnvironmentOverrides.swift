/// Environment variables that take the place of settings in the file.
///
/// The name of a variable is `CARILLON_` and the path of the setting, in capitals, with `_` between its
/// words and in place of every character that is neither letter nor digit: `/timing/workerTimeout` is
/// `CARILLON_TIMING_WORKER_TIMEOUT`, `peer` of the node `n-1` is `CARILLON_NODES_N_1_PEER`. The value is
/// the setting's text without quotes.
struct EnvironmentOverrides {
    private let variables: [String: String]
    /// Every name that was asked for, in order, for suggestions.
    private var known: [String] = []
    private var ambiguous: [String] = []

    static let prefix = "CARILLON_"

    /// Variables of the command line, those that a handler is given (a node may be started from within
    /// one), and one for tests.
    private static let foreign: Set<String> = [
        "CARILLON_SERVER", "CARILLON_TOKEN", "CARILLON_TASK_ID", "CARILLON_ATTEMPT",
        "CARILLON_FENCE", "CARILLON_SCHEDULED_AT", "CARILLON_SCHEDULE", "CARILLON_OCCURRENCE",
        "CARILLON_INPUTS", "CARILLON_BATCH", "CARILLON_NAMESPACE",
        ClockOffset.variable,
    ]

    init(_ environment: [String: String]) {
        variables = environment.filter { $0.key.hasPrefix(Self.prefix) }
    }

    /// The variable's name for a setting.
    static func name(_ path: [String]) -> String {
        prefix + path.map(words).joined(separator: "_")
    }

    /// The value that stands in the environment for this setting.
    mutating func take(_ path: [String]) -> (name: String, value: String)? {
        let name = Self.name(path)
        if variables[name] != nil, known.contains(name) { ambiguous.append(name) }
        known.append(name)
        return variables[name].map { (name, $0) }
    }

    /// What is set and means nothing, or two things: it would otherwise be ignored in silence. To be
    /// called when every setting was asked for.
    func problems() -> [JSONProblem] {
        let asked = Set(known)
        let doubtful = ambiguous.map {
            JSONProblem(
                pointer: $0, detail: "this environment variable means more than one setting")
        }
        return doubtful + clockProblems()
            + variables.keys.sorted().compactMap { name in
                guard !asked.contains(name), !Self.foreign.contains(name),
                    !Self.isServiceLink(name)
                else { return nil }
                var detail = "this environment variable names no setting"
                if let nearest = Spelling.nearest(to: name, among: known) {
                    detail += "; did you mean \(nearest)?"
                }
                return JSONProblem(pointer: name, detail: detail)
            }
    }

    private func clockProblems() -> [JSONProblem] {
        guard let text = variables[ClockOffset.variable], ClockOffset(text) == nil else {
            return []
        }
        return [
            JSONProblem(
                pointer: ClockOffset.variable,
                detail: "must be a duration of at most 365 days with its sign, such as +90s")
        ]
    }

    /// Kubernetes sets such variables in every container when a service is called carillon:
    /// `CARILLON_SERVICE_HOST`, `CARILLON_PORT`, `CARILLON_API_PORT_7201_TCP_ADDR`, ….
    private static func isServiceLink(_ name: String) -> Bool {
        let words = name.split(separator: "_")
        if words.last == "PORT" { return true }
        for (index, word) in words.enumerated().dropFirst() where index + 1 < words.count {
            let next = words[index + 1]
            if word == "SERVICE", next == "HOST" || next == "PORT" { return true }
            if word == "PORT", UInt16(next) != nil, index + 2 < words.count,
                ["TCP", "UDP", "SCTP"].contains(words[index + 2])
            {
                return true
            }
        }
        return false
    }

    private static func words(_ name: String) -> String {
        var result = ""
        var isAfterLower = false
        for character in name.unicodeScalars {
            let isUpper = ("A"..."Z").contains(character)
            let isLower = ("a"..."z").contains(character)
            let isDigit = ("0"..."9").contains(character)
            if isUpper, isAfterLower { result += "_" }
            if isUpper || isDigit {
                result.unicodeScalars.append(character)
            } else if isLower, let capital = Unicode.Scalar(character.value - 32) {
                result.unicodeScalars.append(capital)
            } else {
                result += "_"
            }
            isAfterLower = isLower
        }
        return result
    }
}
