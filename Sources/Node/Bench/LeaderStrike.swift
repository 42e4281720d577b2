import Glibc

/// How the leader is struck down, and how it comes back.
struct LeaderStrike {
    enum Means: Equatable {
        /// A command with `{id}` in it.
        case command(String)
        /// The process whose number stands in a file, first of its words; the path has `{id}` in it.
        case pidFile(String)
        /// Processes by the ids of their nodes.
        case processes([String: pid_t])
    }

    enum Signal: String, CaseIterable {
        case kill, stop

        var number: Int32 {
            switch self {
            case .kill: SIGKILL
            case .stop: SIGSTOP
            }
        }
    }

    let means: Means
    let signal: Signal
    /// With `{id}` in it; nil: nothing is done, or what was stopped goes on.
    let restart: String?

    static let options = [
        OptionSpec(
            name: "kill-command", value: "COMMAND",
            summary: "ends node {id}; run by the shell, as in 'scripts/cluster kill {id}'"),
        OptionSpec(
            name: "pid-file", value: "PATH",
            summary: "the process of node {id}, as in '.cluster/{id}.pid'"),
        OptionSpec(
            name: "pid", value: "ID=PID", summary: "the process of a node, to be struck once",
            isRepeated: true),
        OptionSpec(
            name: "signal", value: "kill|stop",
            summary: "what a process gets (kill); one that is stopped goes on after the round"),
        OptionSpec(
            name: "restart-command", value: "COMMAND",
            summary: "brings node {id} back, as in 'scripts/cluster start {id}'"),
    ]

    init(_ invocation: Invocation) throws(CommandFailure) {
        let pids = try Self.pids(invocation)
        let given = ["kill-command", "pid-file", "pid"].filter { invocation.value($0) != nil }
        guard given.count == 1 else {
            throw .usage("one of --kill-command, --pid-file and --pid is required")
        }
        if let command = invocation.value("kill-command") {
            means = .command(command)
        } else if let path = invocation.value("pid-file") {
            means = .pidFile(path)
        } else {
            means = .processes(pids)
        }
        let name = try invocation.choice("signal", of: Signal.allCases.map(\.rawValue))
        if name != nil, case .command = means {
            throw .usage("--signal goes with --pid-file or --pid")
        }
        signal = name.flatMap(Signal.init) ?? .kill
        restart = invocation.value("restart-command")
        guard restart == nil || signal == .kill else {
            throw .usage("--restart-command does not go with --signal stop: the node goes on")
        }
    }

    private static func pids(_ invocation: Invocation) throws(CommandFailure) -> [String: pid_t] {
        var pids: [String: pid_t] = [:]
        for (id, text) in try invocation.pairs("pid") {
            guard let pid = pid_t(text), pid > 1 else {
                throw .usage("--pid \(id)=\(text): expected a process's number")
            }
            pids[id] = pid
        }
        return pids
    }

    /// How many rounds there can be; nil: any number.
    var maxRounds: Int? {
        guard signal == .kill else { return nil }
        if case .processes(let pids) = means { return pids.count }
        return restart == nil ? 1 : nil
    }

    /// The process of a node, if it is struck by a signal.
    func process(of id: String) throws(CommandFailure) -> pid_t? {
        switch means {
        case .command: return nil
        case .processes(let pids):
            guard let pid = pids[id] else {
                throw .failed("--pid names no process of \(id), which leads")
            }
            return pid
        case .pidFile(let template):
            let path = template.replacing("{id}", with: id)
            let bytes = try InputFile.contents(of: path, maxBytes: 4_096)
            let text = String(decoding: bytes, as: UTF8.self)
            let word = text.split { $0 == " " || $0 == "\n" }.first
            guard let word, let pid = pid_t(word), pid > 1 else {
                throw .failed("\(path) does not begin with a process's number")
            }
            return pid
        }
    }
}
