/// The command line of `Benchmark`.
struct BenchmarkOptions: Equatable {
    var measuresCommands = true
    var measuresHolds = true
    var parts = Part.allCases
    /// What "full" means.
    var tasks = 1_000_000
    var schedules = 100_000
    var rounds = 5

    static let help = """
        usage: Benchmark [commands|holds|parts [PART…]] [--tasks N] [--schedules N] [--rounds N]

        Measures what a node is made of, each by itself, in processor time of its thread, so that what else the machine does
        counts little. Without a word it measures everything.

          commands   nanoseconds a command takes, on an empty state and beside N waiting tasks: the median of the rounds.
                     Commands are applied from their bytes, a hundred in an entry
          holds      the longest time that one portion of work takes beside N tasks: lists, text search, explanations,
                     bulk jobs, bursts of occurrences, retention, copies for snapshots
          parts      nanoseconds, throughput and allocations of each step on the way of a task, or only of the parts named:

        \(Part.allCases.map { "               \(padded($0.rawValue))\($0.summary)" }.joined(separator: "\n"))

          --tasks 1000000     waiting tasks, of 256 bytes of payload each
          --schedules 100000  schedules that live beside them
          --rounds 5          of 20,000 commands each, or of 20 ms for a step
        """

    enum Parsed: Equatable {
        case run(BenchmarkOptions)
        case help
        case wrong(String)
    }

    static func parse(_ arguments: [String]) -> Parsed {
        var options = BenchmarkOptions()
        var kind: String?
        var parts: [Part] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .help
            case "--tasks", "--schedules", "--rounds":
                guard let text = rest.popFirst(), let number = Int(text),
                    (1...5_000_000).contains(number)
                else { return .wrong("\(argument) takes a number from 1 to 5000000") }
                switch argument {
                case "--tasks": options.tasks = number
                case "--schedules": options.schedules = number
                default: options.rounds = number
                }
            case "commands", "holds", "parts":
                guard kind == nil else { return .wrong("one of commands, holds and parts") }
                kind = argument
            default:
                guard !argument.hasPrefix("-") else {
                    return .wrong("unknown option \"\(argument)\"")
                }
                guard kind == "parts" else {
                    let isPart = Part(rawValue: argument) != nil
                    let hint = isPart ? ": did you mean parts \(argument)?" : ""
                    return .wrong("unknown argument \"\(argument)\"\(hint)")
                }
                guard let part = Part(rawValue: argument) else {
                    let names = Part.allCases.map(\.rawValue).joined(separator: ", ")
                    return .wrong("no part is called \"\(argument)\": there are \(names)")
                }
                if !parts.contains(part) { parts.append(part) }
            }
        }
        if let kind {
            options.measuresCommands = kind == "commands"
            options.measuresHolds = kind == "holds"
            if kind != "parts" { options.parts = [] }
        }
        if !parts.isEmpty { options.parts = parts }
        return .run(options)
    }

    private static func padded(_ name: String) -> String {
        name + String(repeating: " ", count: max(1, 11 - name.count))
    }
}
