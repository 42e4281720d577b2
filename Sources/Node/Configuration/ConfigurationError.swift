/// Why a configuration can't be used: everything that is wrong with it, not only the first.
struct ConfigurationError: Error, Equatable, CustomStringConvertible, Sendable {
    let path: String
    /// The pointer is a JSON pointer, or the name of an environment variable; empty for the whole file.
    let problems: [JSONProblem]

    /// A line for each problem.
    var description: String {
        problems.map { problem in
            // A variable is not in the file.
            problem.pointer.isEmpty || problem.pointer.hasPrefix("/")
                ? "\(path): \(problem)" : problem.description
        }.joined(separator: "\n")
    }
}
