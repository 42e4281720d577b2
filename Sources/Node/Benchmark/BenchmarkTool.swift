import Glibc

/// The entry of the `Benchmark` executable. All of it stands here, where what is measured can be reached, and is compiled
/// together with it as in a node.
package enum BenchmarkTool {
    /// Does what the process was started for, and ends it: 0 done, 1 the disk failed, 2 wrong usage.
    ///
    /// - Parameter allocations: how often the process has asked for memory so far.
    package static func main(allocations: @escaping () -> UInt64) -> Never {
        switch BenchmarkOptions.parse(Array(CommandLine.arguments.dropFirst())) {
        case .run(let options): exit(run(options, allocations))
        case .help:
            print(BenchmarkOptions.help)
            exit(0)
        case .wrong(let reason):
            print("Benchmark: \(reason)\n\n\(BenchmarkOptions.help)")
            exit(2)
        }
    }

    private static func run(
        _ options: BenchmarkOptions, _ allocations: @escaping () -> UInt64
    ) -> Int32 {
        for part in options.parts {
            var meter = PartMeter(rounds: options.rounds, allocations: allocations)
            do throws(StorageError) {
                try part.measure(&meter)
            } catch {
                print("Benchmark: \(part.rawValue): \(error)")
                return 1
            }
            Table.title(part.rawValue, ["ns", "MB/s", "allocations"])
            for figure in meter.figures { Table.row(figure.name, figure.columns) }
        }
        if options.measuresCommands { CommandCosts(options).run() }
        if options.measuresHolds { LongestHolds(options).run() }
        return 0
    }
}
