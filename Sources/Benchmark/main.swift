import Glibc

switch BenchmarkOptions.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let options):
    if options.measuresCommands { CommandCosts(options).run() }
    if options.measuresHolds { LongestHolds(options).run() }
case .help:
    print(BenchmarkOptions.help)
case .wrong(let reason):
    print("Benchmark: \(reason)\n\(BenchmarkOptions.help)")
    exit(2)
}
