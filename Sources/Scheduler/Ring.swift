/// A consistent-hashing ring: each worker stands at many points, in proportion to its slots, and a key belongs
/// to the first point at or after its hash (Karger and others, 1997). Points depend on nothing but the worker's
/// name, so that a worker that comes or goes moves only its own share of the keys.
package struct Ring: Sendable {
    struct Point: Sendable {
        var position: UInt64
        var worker: UInt32

        static func precedes(_ left: Point, _ right: Point) -> Bool {
            left.position != right.position
                ? left.position < right.position : left.worker < right.worker
        }
    }

    package struct Member: Sendable {
        var worker: UInt32
        var nameHash: UInt64
        var slots: Int

        package init(worker: UInt32, nameHash: UInt64, slots: Int) {
            self.worker = worker
            self.nameHash = nameHash
            self.slots = slots
        }
    }

    /// More points spread keys more evenly and make the ring larger; the bound on loads evens out the rest.
    private static let pointsPerSlot = 8
    private static let maxPointsPerWorker = 128

    private(set) var points: [Point] = []
    private(set) var members: [Member] = []

    package init(_ members: [Member]) {
        self.members = members.sorted { $0.worker < $1.worker }
        for member in members { points.append(contentsOf: Self.points(of: member)) }
        points.sort(by: Point.precedes)
    }

    package mutating func insert(_ member: Member) {
        let place = members.firstIndex { $0.worker > member.worker } ?? members.count
        members.insert(member, at: place)
        let added = Self.points(of: member).sorted(by: Point.precedes)
        var merged: [Point] = []
        merged.reserveCapacity(points.count + added.count)
        var next = 0
        for point in points {
            while next < added.count, Point.precedes(added[next], point) {
                merged.append(added[next])
                next += 1
            }
            merged.append(point)
        }
        merged.append(contentsOf: added[next...])
        points = merged
    }

    package mutating func remove(_ worker: UInt32) {
        members.removeAll { $0.worker == worker }
        points.removeAll { $0.worker == worker }
    }

    /// The first point at or after `hash`, around the end.
    package func firstPoint(from hash: UInt64) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].position < hash { low = middle + 1 } else { high = middle }
        }
        return low == points.count ? 0 : low
    }

    private static func points(of member: Member) -> [Point] {
        (0..<min(max(member.slots, 1) * pointsPerSlot, maxPointsPerWorker)).map { replica in
            Point(
                position: StableHash.of(member.nameHash, UInt64(replica)), worker: member.worker)
        }
    }
}
