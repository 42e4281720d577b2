import Glibc
import Raft

/// Runs a range of seeds and tells how it went.
struct Campaign {
    let options: Options

    /// The exit status: 0 all held, 1 a rule was broken, 2 there were no processes to be had.
    func run() -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        return options.isVerbose ? runHere() : runInShards()
    }

    /// Everything in this process, so that a debugger or a backtrace finds it here.
    private func runHere() -> Int32 {
        var total = Report()
        let began = Self.seconds()
        for seed in options.seeds {
            StandardOutput.write("seed \(seed)\n")
            let seedBegan = Self.seconds()
            switch SeedRun(seed: seed, options: options).run(.terminal) {
            case .broken(let broken):
                tell(broken, seed, story: [])
                return 1
            case .held(let report):
                total.add(report)
                StandardOutput.write(report.text(wallSeconds: Self.seconds() - seedBegan) + "\n")
            }
        }
        if total.seeds > 1 {
            StandardOutput.write(total.text(wallSeconds: Self.seconds() - began) + "\n")
        }
        return 0
    }

    // MARK: Shards

    private func runInShards() -> Int32 {
        let began = Self.seconds()
        var fleet = Fleet(options: options)
        guard let result = fleet.run(began: began) else {
            StandardOutput.writeError("Simulator: no process could be started\n")
            return 2
        }
        if let first = result.broken {
            explain(first.seed, first.broken)
            return 1
        }
        StandardOutput.write(result.total.text(wallSeconds: Self.seconds() - began) + "\n")
        return 0
    }

    /// Runs the seed again with somebody listening.
    private func explain(_ seed: UInt64, _ broken: BrokenRule) {
        guard let shard = Shard(options: options) else {
            tell(broken, seed, story: [])
            return
        }
        shard.begin(seed, tells: true)
        var story = Story()
        var again: BrokenRule?
        while shard.seed != nil, !shard.hasEnded {
            for reply in shard.read() {
                switch reply {
                case .event(let event): story.add(event)
                case .broken(let rule): again = rule
                case .done: break
                }
            }
        }
        let cause = shard.end()
        if shard.hasEnded { again = Fleet.trap(cause) }
        tell(broken, seed, story: story.lines(about: broken.detail))
        if again != broken {
            StandardOutput.write(
                "  A second run of the seed went differently: it is not repeatable.\n")
        }
    }

    private func tell(_ broken: BrokenRule, _ seed: UInt64, story: [String]) {
        let seconds = Double(broken.time / 1_000_000) / 1_000
        StandardOutput.write(
            """
            VIOLATION of "\(broken.rule)" in seed \(seed) at \(seconds) virtual seconds
              \(broken.detail)
              replay: \(options.replay(seed))

            """)
        for line in story { StandardOutput.write(line + "\n") }
    }

    static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
