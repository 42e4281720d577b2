import Raft

/// The links between nodes: each direction of each pair on its own.
struct Network {
    private let count: Int
    private var faults: Scenario.NetworkFaults
    private var random: RandomSource
    /// How many partitions now cut this direction.
    private var cuts: [Int]
    /// Messages on a clogged link wait until then.
    private var cloggedUntil: [Nanoseconds]
    private var lastArrival: [Nanoseconds]
    private var partitions: [[Int]] = []
    private(set) var sent = 0
    private(set) var injected = FaultCounts()

    /// The shapes of partitions.
    enum Shape: CaseIterable {
        /// Two sides that don't see each other; one of them may be a single node.
        case split, isolated
        case oneWay
        /// Both sides see one node, and not each other.
        case bridge
        /// Single directions, here and there.
        case swizzled
    }

    init(count: Int, faults: Scenario.NetworkFaults, random: RandomSource) {
        self.count = count
        self.faults = faults
        self.random = random
        cuts = Array(repeating: 0, count: count * count)
        cloggedUntil = Array(repeating: 0, count: count * count)
        lastArrival = cloggedUntil
    }

    private func link(_ from: Int, _ to: Int) -> Int { from * count + to }

    func isCut(_ from: Int, _ to: Int) -> Bool { cuts[link(from, to)] > 0 }

    /// When copies of a message arrive; none if it is lost.
    mutating func arrivals(from: Int, to: Int, now: Nanoseconds) -> [Nanoseconds] {
        sent += 1
        let link = link(from, to)
        if cuts[link] > 0 || random.chance(permille: faults.dropPermille) {
            injected[.dropped] += 1
            return []
        }
        if random.chance(permille: faults.clogPermille) {
            injected[.clogged] += 1
            cloggedUntil[link] = now + random.within(10_000_000...2_000_000_000)
        }
        var time = max(now + random.latency(faults.delay), cloggedUntil[link])
        if random.chance(permille: faults.reorderPermille) {
            injected[.reordered] += 1
        } else {
            time = max(time, lastArrival[link])
            lastArrival[link] = time
        }
        if random.chance(permille: faults.replayPermille) {
            injected[.replayed] += 1
            return [time, time + random.latency(500_000_000...30_000_000_000)]
        }
        guard random.chance(permille: faults.duplicatePermille) else { return [time] }
        injected[.duplicated] += 1
        return [time, time + random.latency(0...3_000_000_000)]
    }

    mutating func noteLostOnArrival() { injected[.dropped] += 1 }

    /// Cuts links in one of several shapes and answers with the number of the partition.
    mutating func partition() -> Int {
        var order = Array(0..<count)
        for position in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(position, random.index(position + 1))
        }
        var cut: [Int] = []
        func separate(_ left: ArraySlice<Int>, _ right: ArraySlice<Int>, oneWay: Bool = false) {
            for from in left {
                for to in right {
                    cut.append(link(from, to))
                    if !oneWay { cut.append(link(to, from)) }
                }
            }
        }
        let size = 1 + random.index(count - 1)
        switch random.pick(faults.partitionShapes) {
        case .split:
            injected[.split] += 1
            separate(order[..<size], order[size...])
        case .isolated:
            injected[.isolated] += 1
            separate(order[..<1], order[1...])
        case .oneWay:
            injected[.oneWay] += 1
            separate(order[..<size], order[size...], oneWay: true)
        case .bridge:
            injected[.bridge] += 1
            let middle = 1 + (count - 1) / 2
            separate(order[1..<middle], order[middle...])
        case .swizzled:
            injected[.swizzled] += 1
            for from in order {
                for to in order where from != to && random.chance(permille: 300) {
                    cut.append(link(from, to))
                }
            }
        }
        return self.cut(cut)
    }

    /// Cuts these directions and answers with the number of the partition.
    mutating func cut(_ pairs: [(from: Int, to: Int)]) -> Int {
        cut(pairs.map { link($0.from, $0.to) })
    }

    private mutating func cut(_ links: [Int]) -> Int {
        for link in links { cuts[link] += 1 }
        partitions.append(links)
        return partitions.count - 1
    }

    /// Cuts what is wrong with a minority that stays away. A dead one is none of the network's business.
    mutating func cut(_ minority: [Int], _ kind: Scenario.Minority) {
        let rest = (0..<count).filter { !minority.contains($0) }
        var links: [Int] = []
        for away in minority {
            for (place, other) in rest.enumerated() {
                let hears: Bool
                let isHeard: Bool
                switch kind {
                case .dead: (hears, isHeard) = (true, true)
                case .cutOff: (hears, isHeard) = (false, false)
                case .deaf: (hears, isHeard) = (false, true)
                case .mute: (hears, isHeard) = (true, false)
                case .bridged: (hears, isHeard) = (place == 0, place == 0)
                }
                if !isHeard { links.append(link(away, other)) }
                if !hears { links.append(link(other, away)) }
            }
        }
        _ = cut(links)
    }

    /// "n1→n2 n1→n3 …", for the story.
    func describe(_ partition: Int) -> String {
        partitions[partition].map { "n\($0 / count + 1)→n\($0 % count + 1)" }
            .joined(separator: " ")
    }

    mutating func heal(_ partition: Int) {
        for link in partitions[partition] { cuts[link] -= 1 }
        partitions[partition] = []
    }

    mutating func healEverything() {
        for partition in partitions.indices { heal(partition) }
        for link in cloggedUntil.indices { cloggedUntil[link] = 0 }
        faults.dropPermille = 0
        faults.duplicatePermille = 0
        faults.replayPermille = 0
        faults.reorderPermille = 0
        faults.clogPermille = 0
        faults.delay = 50_000...2_000_000
    }
}
