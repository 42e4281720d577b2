import Glibc
import Raft

/// The command line.
struct Options {
    var seeds: ClosedRange<UInt64> = 1...100
    var isVerbose = false
    var runsTwice = false
    var chaosSeconds: UInt64 = 60
    /// Schedules of a second each beside the usual ones.
    var schedules = 0
    /// Processes at work.
    var jobs = 1
    /// No seed begins after this time.
    var minutes: UInt64?
    /// This process runs the seeds that its parent names on standard input.
    var isShard = false

    static let help = """
        usage: Simulator [--seeds FIRST-LAST] [--minutes M] [--jobs J] [--seconds VIRTUAL] [--schedules N] [--twice]
                         [--verbose]

        Runs whole clusters in virtual time, one for each seed: faults and clients for VIRTUAL seconds (default 60),
        then a quorum has to serve again, then everything is healed, and all work must get done and all nodes agree.
        Ends with status 1 at the first rule that is broken, naming the rule, what led to it, and the command that
        replays the run.

          --seeds 1-500    seeds to run (default 1-100, with --minutes all from 1 on); one number is one seed
          --minutes 10     begin no seed after that time
          --jobs 4         processes at work (default: one for each core); the result is the same for any number
          --seconds 60     length of the part with faults, in virtual seconds (1 to 3600)
          --schedules 300  so many schedules of a second in each run, beside the usual work (0 to 1000)
          --twice          run each seed twice and demand the same run
          --verbose        one seed after the other in this process, telling all that happens
          --help           this text
        """

    enum Parsed {
        case run(Options)
        case help
        case wrong(String)
    }

    static func parse(_ arguments: [String]) -> Parsed {
        var options = Options()
        options.jobs = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var hasSeeds = false
        var rest = arguments[...]
        func number(_ range: ClosedRange<UInt64>) -> UInt64? {
            guard let text = rest.popFirst(), let value = UInt64(text), range.contains(value)
            else { return nil }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .help
            case "--verbose": options.isVerbose = true
            case "--twice": options.runsTwice = true
            case "--shard": options.isShard = true
            case "--seeds":
                guard let text = rest.popFirst(), let seeds = range(text) else {
                    return .wrong("--seeds takes a range such as 1-500")
                }
                options.seeds = seeds
                hasSeeds = true
            case "--seconds":
                guard let seconds = number(1...3_600) else {
                    return .wrong("--seconds takes a number from 1 to 3600")
                }
                options.chaosSeconds = seconds
            case "--schedules":
                guard let schedules = number(0...1_000) else {
                    return .wrong("--schedules takes a number from 0 to 1000")
                }
                options.schedules = Int(schedules)
            case "--minutes":
                guard let minutes = number(1...100_000) else {
                    return .wrong("--minutes takes a number from 1 to 100000")
                }
                options.minutes = minutes
            case "--jobs":
                guard let jobs = number(1...1_024) else {
                    return .wrong("--jobs takes a number from 1 to 1024")
                }
                options.jobs = Int(jobs)
            default: return .wrong("unknown argument \"\(argument)\"")
            }
        }
        if options.minutes != nil, !hasSeeds { options.seeds = 1...UInt64(UInt32.max) }
        return .run(options)
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ UInt64($0) }), parts.count <= 2 else { return nil }
        guard parts.count == 2 else { return first...first }
        guard let last = UInt64(parts[1]), last >= first else { return nil }
        return first...last
    }

    /// Runs this seed in the same way again.
    func replay(_ seed: UInt64) -> String {
        let length = chaosSeconds == Options().chaosSeconds ? "" : " --seconds \(chaosSeconds)"
        let crowd = schedules == 0 ? "" : " --schedules \(schedules)"
        return "swift run -c release Simulator --seeds \(seed)-\(seed)\(length)\(crowd) --verbose"
    }
}
