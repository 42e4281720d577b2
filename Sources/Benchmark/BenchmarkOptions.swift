/// The command line.
struct BenchmarkOptions {
    var measuresCommands = true
    var measuresHolds = true
    /// What "full" means.
    var tasks = 1_000_000
    var schedules = 100_000
    var rounds = 5

    static let help = """
        usage: Benchmark [commands|holds] [--tasks N] [--schedules N] [--rounds N]

        Measures the state machine by itself, in processor time of its thread, so that what else the machine does counts
        little. Commands are applied from their bytes, a hundred in an entry.

          commands   nanoseconds a command takes, on an empty state and beside N waiting tasks: the median of the rounds
          holds      the longest time that one portion of work takes beside N tasks: lists, text search, explanations,
                     bulk jobs, bursts of occurrences, retention, copies for snapshots

          --tasks 1000000     waiting tasks, of 256 bytes of payload each
          --schedules 100000  schedules that live beside them
          --rounds 5          of 20,000 commands each
        """

    enum Parsed {
        case run(BenchmarkOptions)
        case help
        case wrong(String)
    }

    static func parse(_ arguments: [String]) -> Parsed {
        var options = BenchmarkOptions()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .help
            case "commands": options.measuresHolds = false
            case "holds": options.measuresCommands = false
            case "--tasks", "--schedules", "--rounds":
                guard let text = rest.popFirst(), let number = Int(text),
                    (1...5_000_000).contains(number)
                else { return .wrong("\(argument) takes a number from 1 to 5000000") }
                switch argument {
                case "--tasks": options.tasks = number
                case "--schedules": options.schedules = number
                default: options.rounds = number
                }
            default: return .wrong("unknown argument \"\(argument)\"")
            }
        }
        guard options.measuresCommands || options.measuresHolds else {
            return .wrong("commands or holds")
        }
        return .run(options)
    }
}
