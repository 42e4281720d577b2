import Raft

/// One seed in this process.
struct SeedRun {
    let seed: UInt64
    let options: Options

    enum Outcome {
        case held(Report)
        case broken(BrokenRule)
    }

    func run(_ listener: TextLog.Listener) -> Outcome {
        let simulation = make(listener)
        do {
            try simulation.run()
            if options.runsTwice { try compare(simulation) }
            return .held(simulation.report)
        } catch {
            if listener == .terminal { simulation.describeLastEntries() }
            return .broken(
                BrokenRule(time: simulation.now, rule: error.rule, detail: error.detail))
        }
    }

    private func make(_ listener: TextLog.Listener) -> Simulation {
        Simulation(
            seed: seed, chaosLength: options.chaosSeconds * 1_000_000_000,
            crowd: options.schedules, log: TextLog(listener: listener))
    }

    private func compare(_ first: Simulation) throws(Violation) {
        let second = make(.nobody)
        try second.run()
        guard second.digest == first.digest else {
            throw Violation("the same seed is the same run", "\(first.digest), \(second.digest)")
        }
    }
}
