import Scheduler

/// What one command costs, on an empty state and on a full one.
struct CommandCosts {
    private static let perEntry = 100
    private static let entriesPerRound = 200

    /// Nanoseconds a command, a value for each round.
    private struct Costs {
        private(set) var names: [String] = []
        private var values: [[UInt64]] = []

        mutating func add(_ name: String, _ nanoseconds: UInt64, commands: Int) {
            let value = nanoseconds / UInt64(commands)
            if let place = names.firstIndex(of: name) {
                values[place].append(value)
            } else {
                names.append(name)
                values.append([value])
            }
        }

        func median(_ place: Int) -> UInt64 { values[place].sorted()[values[place].count / 2] }
    }

    private let options: BenchmarkOptions

    init(_ options: BenchmarkOptions) {
        self.options = options
    }

    func run() {
        let empty = costs(waiting: 0)
        let full = costs(waiting: options.tasks)
        Table.title("a command, ns", ["empty", "\(options.tasks) waiting"])
        for place in empty.names.indices {
            Table.row(
                empty.names[place], ["\(empty.median(place))", "\(full.median(place))"])
        }
    }

    private func costs(waiting: Int) -> Costs {
        var bench = Workbench()
        // Half of them wait for their time, half for a queue that is paused.
        bench.apply([.pauseQueue(name: "paused")])
        bench.submit(waiting) { number in
            var spec = Workbench.task()
            if number % 2 == 0 {
                spec.queue = "paused"
            } else {
                spec.start = .after(milliseconds: 86_400_000 + Milliseconds(number))
            }
            return spec
        }
        bench.register("w", slots: 1_000, handlers: ["echo"])
        var costs = Costs()
        for round in 0..<options.rounds { measure(&bench, round, &costs) }
        return costs
    }

    private func measure(_ bench: inout Workbench, _ round: Int, _ costs: inout Costs) {
        var starts: UInt64 = 0
        var ends: UInt64 = 0
        var delays: UInt64 = 0
        var cancellations: UInt64 = 0
        var keyed: UInt64 = 0
        var delayed = Workbench.task()
        delayed.start = .after(milliseconds: 3_600_000)
        for entry in 0..<Self.entriesPerRound {
            bench.time += 2
            starts += bench.apply(
                [Command](repeating: .submit(Workbench.task()), count: Self.perEntry))
            let finishes = bench.finishes
            precondition(finishes.count == Self.perEntry, "every task starts at once")
            ends += bench.apply(finishes)
            delays += bench.apply([Command](repeating: .submit(delayed), count: Self.perEntry))
            cancellations += bench.apply(bench.created.map { .cancel($0) })
            keyed += bench.apply(
                (0..<Self.perEntry).map { number in
                    var spec = delayed
                    spec.key = "\(round) \(entry) \(number)"
                    return .submit(spec)
                })
            bench.apply(bench.created.map { .cancel($0) })
        }
        let commands = Self.perEntry * Self.entriesPerRound
        costs.add("submit, and start at once", starts, commands: commands)
        costs.add("finish", ends, commands: commands)
        costs.add("submit for later", delays, commands: commands)
        costs.add("submit for later, with a key", keyed, commands: commands)
        costs.add("cancel", cancellations, commands: commands)
        backlog(&bench, commands, &costs)
    }

    /// More tasks than slots: who ends lets the next one start.
    private func backlog(_ bench: inout Workbench, _ commands: Int, _ costs: inout Costs) {
        var finishes: [Command] = []
        for _ in 0..<commands / Self.perEntry {
            bench.apply([Command](repeating: .submit(Workbench.task()), count: Self.perEntry))
            finishes += bench.finishes
        }
        var spent: UInt64 = 0
        var count = 0
        while !finishes.isEmpty {
            count += finishes.count
            bench.time += 1
            spent += bench.apply(finishes)
            finishes = bench.finishes
        }
        costs.add("finish, and start the next", spent, commands: max(1, count))
    }
}
