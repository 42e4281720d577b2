import Glibc
import Raft

/// The shards of a campaign, with what they have to do. Seeds are handed out one at a time in order; once one
/// is broken only smaller ones still count, so the result does not depend on the number of shards.
struct Fleet {
    struct Result {
        var total = Report()
        /// The smallest seed that broke a rule.
        var broken: (seed: UInt64, broken: BrokenRule)?
    }

    /// A run takes a second or so; one that takes this long goes round in circles.
    private static let maxSeedSeconds: Double = 600
    private static let pollMilliseconds: Int32 = 1_000

    private let options: Options
    private var shards: [Shard] = []
    private var begunAt: [UInt64: Double] = [:]
    private var result = Result()
    private var nextSeed: UInt64?

    init(options: Options) {
        self.options = options
        nextSeed = options.seeds.lowerBound
    }

    /// nil: not a single process could be started.
    mutating func run(began: Double) -> Result? {
        let count = min(options.jobs, Int(clamping: options.seeds.count))
        for _ in 0..<count {
            guard let shard = Shard(options: options) else { break }
            shards.append(shard)
        }
        guard !shards.isEmpty else { return nil }
        let deadline = options.minutes.map { began + Double($0) * 60 } ?? .infinity
        var progress = ProgressLine(began: began)
        for shard in shards { give(shard, until: deadline) }
        while shards.contains(where: { $0.seed != nil }) {
            for shard in readable() { take(from: shard, until: deadline) }
            endCircles()
            progress.show(result)
        }
        progress.clear()
        for shard in shards { _ = shard.end() }
        return result
    }

    static func trap(_ cause: String) -> BrokenRule {
        BrokenRule(
            time: 0, rule: "a precondition",
            detail: "the process ended: \(cause); SWIFT_BACKTRACE=enable=yes shows where")
    }

    private mutating func give(_ shard: Shard, until deadline: Double) {
        let now = Campaign.seconds()
        guard let seed = nextSeed, now < deadline, seed < result.broken?.seed ?? .max else {
            return
        }
        nextSeed = seed < options.seeds.upperBound ? seed + 1 : nil
        begunAt[seed] = now
        shard.begin(seed)
    }

    private func readable() -> [Shard] {
        let busy = shards.filter { $0.seed != nil }
        var polls = busy.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), Self.pollMilliseconds) > 0 else { return [] }
        return zip(busy, polls).filter { $0.1.revents != 0 }.map(\.0)
    }

    private mutating func take(from shard: Shard, until deadline: Double) {
        guard let seed = shard.seed else { return }
        for reply in shard.read() {
            switch reply {
            case .event: continue
            case .done(let words):
                guard let report = Report(words: words) else {
                    preconditionFailure("a report that is none")
                }
                result.total.add(report)
            case .broken(let broken): note(broken, seed)
            }
        }
        if shard.hasEnded {
            note(Self.trap(shard.end()), seed)
            replace(shard)
        } else if shard.seed == nil {
            begunAt[seed] = nil
            give(shard, until: deadline)
        }
    }

    private mutating func note(_ broken: BrokenRule, _ seed: UInt64) {
        begunAt[seed] = nil
        guard seed < result.broken?.seed ?? .max else { return }
        result.broken = (seed, broken)
    }

    /// Smaller seeds that others have in hand still count; this one's place needs no successor.
    private mutating func replace(_ shard: Shard) { shards.removeAll { $0 === shard } }

    private mutating func endCircles() {
        let now = Campaign.seconds()
        for shard in shards {
            guard let seed = shard.seed, let began = begunAt[seed],
                now - began > Self.maxSeedSeconds
            else { continue }
            _ = shard.end()
            note(
                BrokenRule(
                    time: 0, rule: "a run ends",
                    detail: "nothing was heard for \(Int(Self.maxSeedSeconds)) seconds"), seed)
            replace(shard)
        }
    }
}
