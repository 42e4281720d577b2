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
    private(set) var dropped = 0
    private(set) var duplicated = 0

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
            dropped += 1
            return []
        }
        if random.chance(permille: faults.clogPermille) {
            cloggedUntil[link] = now + random.within(10_000_000...2_000_000_000)
        }
        var time = max(now + random.latency(faults.delay), cloggedUntil[link])
        if !random.chance(permille: faults.reorderPermille) {
            time = max(time, lastArrival[link])
            lastArrival[link] = time
        }
        guard random.chance(permille: faults.duplicatePermille) else { return [time] }
        duplicated += 1
        return [time, time + random.latency(0...3_000_000_000)]
    }

    mutating func noteLostOnArrival() { dropped += 1 }

    /// Cuts links in one of several shapes and answers with the number of the partition.
    mutating func partition() -> Int {
        var order = Array(0..<count)
        for position in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(position, random.index(position + 1))
        }
        var cut: [Int] = []
        func separate(_ left: ArraySlice<Int>, _ right: ArraySlice<Int>, oneWay: Bool) {
            for from in left {
                for to in right {
                    cut.append(link(from, to))
                    if !oneWay { cut.append(link(to, from)) }
                }
            }
        }
        switch random.index(4) {
        case 0:
            let size = 1 + random.index(count - 1)
            separate(order[..<size], order[size...], oneWay: false)
        case 1:
            separate(order[..<1], order[1...], oneWay: false)
        case 2:
            let size = 1 + random.index(count - 1)
            separate(order[..<size], order[size...], oneWay: true)
        default:
            // A bridge: both sides see the first node, and not each other.
            let middle = 1 + (count - 1) / 2
            separate(order[1..<middle], order[middle...], oneWay: false)
        }
        for link in cut { cuts[link] += 1 }
        partitions.append(cut)
        return partitions.count - 1
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
        faults.clogPermille = 0
        faults.delay = 50_000...2_000_000
    }
}
