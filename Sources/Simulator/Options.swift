import Raft

/// The command line.
struct Options {
    var seeds: ClosedRange<UInt64> = 1...100
    var isVerbose = false
    var runsTwice = false
    var chaosSeconds: UInt64 = 60

    static let help = """
        usage: Simulator [--seeds FIRST-LAST] [--seconds VIRTUAL] [--twice] [--verbose]

        Runs whole clusters in virtual time, one for each seed: faults and clients for VIRTUAL seconds (default 60),
        then healing, and the demand that all work gets done and all nodes agree. Ends with status 1 at the first
        rule that is broken, naming the rule and the command that replays the run.

          --seeds 1-500    seeds to run (default 1-100); one number is one seed
          --seconds 60     length of the part with faults, in virtual seconds (1 to 3600)
          --twice          run each seed twice and demand the same run
          --verbose        tell what happens in each run
          --help           this text
        """

    enum Parsed {
        case run(Options)
        case help
        case wrong(String)
    }

    static func parse(_ arguments: [String]) -> Parsed {
        var options = Options()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .help
            case "--verbose": options.isVerbose = true
            case "--twice": options.runsTwice = true
            case "--seeds":
                guard let text = rest.popFirst(), let seeds = range(text) else {
                    return .wrong("--seeds takes a range such as 1-500")
                }
                options.seeds = seeds
            case "--seconds":
                guard let text = rest.popFirst(), let seconds = UInt64(text),
                    (1...3_600).contains(seconds)
                else { return .wrong("--seconds takes a number from 1 to 3600") }
                options.chaosSeconds = seconds
            default: return .wrong("unknown argument \"\(argument)\"")
            }
        }
        return .run(options)
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ UInt64($0) }), parts.count <= 2 else { return nil }
        guard parts.count == 2 else { return first...first }
        guard let last = UInt64(parts[1]), last >= first else { return nil }
        return first...last
    }
}
