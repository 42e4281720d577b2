/// Prints what the attempts of a task write to standard error, until the task has ended: each attempt that is met from its
/// beginning, one after the other.
struct LogFollower {
    private static let pollMilliseconds: Int64 = 500

    private let client: ClusterClient
    private let console: Console
    private let path: String
    /// Which one was shown last, and how much of it: what is written is only ever added to.
    private var attempt: Int64?
    private var shownBytes = 0

    init(_ id: String, client: ClusterClient, console: Console) {
        self.client = client
        self.console = console
        path = TaskFinder.path(id)
    }

    mutating func run() throws(CommandFailure) {
        while true {
            // The state first: what is written between the two requests is shown all the same.
            let response = try client.send(.get(path))
            var isFinal = false
            switch response.status {
            case 200...299:
                let state = try ClusterClient.json(response)["state"]?.string ?? ""
                isFinal = TaskFinder.finalStates.contains(state)
            case 429, 503: TaskFinder.pause(seconds: response.retryAfterSeconds ?? 1)
            default: throw ProblemText.failure(response)
            }
            try show(isLast: isFinal)
            guard !isFinal else { return }
            Pause.take(milliseconds: Self.pollMilliseconds)
        }
    }

    private mutating func show(isLast: Bool) throws(CommandFailure) {
        let response = try client.send(.get(path + "/logs"))
        switch response.status {
        case 200...299:
            let number = response.header("carillon-attempt").flatMap { Int64($0) }
            if let attempt, let number, number > attempt {
                try finish(attempt, before: number)
                shownBytes = 0
            }
            attempt = number
            print(response.body)
        // Nothing is written yet, or by this attempt, or the node that has it is away for a moment.
        case 404, 410, 429, 503:
            if isLast, response.status == 503 || attempt == nil {
                throw ProblemText.failure(response)
            }
        default: throw ProblemText.failure(response)
        }
    }

    /// What was added to an attempt's log after it was looked at, and those that came and went since.
    private mutating func finish(_ shown: Int64, before next: Int64) throws(CommandFailure) {
        for number in shown..<next {
            if number > shown { shownBytes = 0 }
            let response = try client.send(.get(path + "/logs?attempt=\(number)"))
            if response.isSuccess { print(response.body) }
        }
    }

    private mutating func print(_ log: [UInt8]) {
        guard log.count > shownBytes else { return }
        console.write(Array(log[shownBytes...]))
        shownBytes = log.count
    }
}
