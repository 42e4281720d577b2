/// Which worker takes a task.
extension Dispatch {
    /// The worker for a task that got ready; nil if none that can run it has a free slot.
    ///
    /// Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016): a worker is passed over
    /// once it runs 5/4 of its share. `isSticky`: the task has a routing key, and only a full worker is passed over.
    mutating func choose(_ requirement: Int, hash: UInt64, isSticky: Bool) -> UInt32? {
        var free = 0
        var running = 0
        var slots = 0
        for crew in requirements[requirement].crews {
            free += crews[crew].free
            running += crews[crew].running
            slots += crews[crew].slots
        }
        guard free > 0 else { return nil }
        let ring = ring(of: requirement)
        let points = rings[ring].ring.points
        var point = rings[ring].ring.firstPoint(from: hash)
        // With hundreds of workers and all but a few full, the walk could be long.
        for _ in 0..<min(points.count, 512) {
            let number = points[point].worker
            let worker = workers[Int(number)]
            if worker.free > 0 {
                let bound = (5 * (running + 1) * worker.capacity + 4 * slots - 1) / (4 * slots)
                if isSticky || worker.running.count < bound { return number }
            }
            point += 1
            if point == points.count { point = 0 }
        }
        return chooseByRank(rings[ring].ring.members, hash: hash)
    }

    /// Rendezvous hashing among the workers with a free slot.
    private func chooseByRank(_ members: [Ring.Member], hash: UInt64) -> UInt32? {
        var best: (rank: UInt64, worker: UInt32)?
        for member in members where workers[Int(member.worker)].free > 0 {
            let rank = StableHash.of(member.nameHash, hash)
            if best.map({ rank > $0.rank }) ?? true { best = (rank, member.worker) }
        }
        return best?.worker
    }

    private mutating func ring(of requirement: Int) -> Int {
        if requirements[requirement].ringEpoch == ringEpoch {
            return requirements[requirement].ring
        }
        let wanted = requirements[requirement].crews
        let number = ringNumbers[wanted] ?? makeRing(wanted)
        requirements[requirement].ring = number
        requirements[requirement].ringEpoch = ringEpoch
        return number
    }

    private mutating func makeRing(_ wanted: [Int]) -> Int {
        var members: [Ring.Member] = []
        for number in workers.indices {
            guard let crew = workers[number].crew, wanted.contains(crew) else { continue }
            members.append(
                Ring.Member(
                    worker: UInt32(number), nameHash: workers[number].nameHash,
                    slots: workers[number].capacity))
        }
        rings.append(CachedRing(crews: wanted, ring: Ring(members)))
        ringNumbers[wanted] = rings.count - 1
        return rings.count - 1
    }
}
