import Glibc
import Raft

/// Runs seeds one after the other and tells how it went.
struct Campaign {
    let options: Options

    /// The exit status: 0 all held, 1 a rule was broken.
    func run() -> Int32 {
        var total = Report()
        let began = Self.seconds()
        CrashNotice.install(chaosSeconds: options.chaosSeconds)
        for seed in options.seeds {
            CrashNotice.begin(seed)
            let seedBegan = Self.seconds()
            let simulation = make(seed)
            do {
                try simulation.run()
                if options.runsTwice { try compare(simulation) }
            } catch {
                tell(error, simulation)
                return 1
            }
            total.add(simulation.report)
            if options.isVerbose {
                print(
                    "seed \(seed): \(simulation.report.line(wallSeconds: Self.seconds() - seedBegan))"
                )
            }
        }
        print(total.line(wallSeconds: Self.seconds() - began))
        return 0
    }

    private func make(_ seed: UInt64, isVerbose: Bool? = nil) -> Simulation {
        Simulation(
            seed: seed, chaosLength: options.chaosSeconds * 1_000_000_000,
            log: TextLog(isVerbose: isVerbose ?? options.isVerbose))
    }

    private func compare(_ first: Simulation) throws(Violation) {
        let second = make(first.seed, isVerbose: false)
        try second.run()
        guard second.digest == first.digest else {
            throw Violation("the same seed is the same run", "\(first.digest), \(second.digest)")
        }
    }

    private func tell(_ violation: Violation, _ simulation: Simulation) {
        if options.isVerbose { simulation.describeLastEntries() }
        print(
            """
            VIOLATION of "\(violation.rule)" in seed \(simulation.seed) at \
            \(Double(simulation.now / 1_000_000) / 1_000) virtual seconds
              \(violation.detail)
              replay: \(Self.replay(simulation.seed, options.chaosSeconds))
            """)
    }

    static func replay(_ seed: UInt64, _ chaosSeconds: UInt64) -> String {
        let length = chaosSeconds == Options().chaosSeconds ? "" : " --seconds \(chaosSeconds)"
        return "swift run -c release Simulator --seeds \(seed)-\(seed)\(length) --verbose"
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
