/// Who can run what, who waits, and who has a free slot. Derived from the state: it is rebuilt when a snapshot
/// is loaded, and every choice it makes depends on the state alone, so a replica that was restored goes on
/// exactly like one that never stopped.
///
/// No waiting task can be run by a worker with a free slot: whenever a task gets ready or a slot free, the two
/// meet within the same command.
struct Dispatch: Sendable {
    /// A worker as far as assignment goes, by its number in `WorkerTable`.
    struct Worker: Sendable {
        var nameHash: UInt64 = 0
        /// nil unless live.
        var crew: Int?
        var capacity = 0
        var running: Set<UInt64> = []

        var free: Int { max(0, capacity - running.count) }
    }

    private struct CachedRing: Sendable {
        var crews: [Int]
        var ring: Ring
    }

    private(set) var workers: [Worker] = []
    private(set) var requirementOfProfile: [Int] = []
    private(set) var waitingCount = 0

    private var crews = Pool<Crew>()
    private var crewNumbers: [Crew.Key: Int] = [:]
    private(set) var requirements = Pool<Requirement>()
    private var requirementNumbers: [Requirement.Key: Int] = [:]
    private var handlers = Pool<HandlerEntry>()
    private var handlerNumbers: [String: Int] = [:]
    private var rings: [CachedRing] = []
    private var ringNumbers: [[Int]: Int] = [:]
    /// Rises when crews come or go: which rings there are has changed.
    private var ringEpoch = 0

    // MARK: Profiles and requirements

    mutating func add(_ profile: Profile, number: UInt32) {
        let key = Requirement.Key(handler: profile.handler, tags: profile.tags)
        let requirement = requirementNumbers[key] ?? makeRequirement(key)
        requirements[requirement].profiles += 1
        while requirementOfProfile.count <= Int(number) { requirementOfProfile.append(-1) }
        requirementOfProfile[Int(number)] = requirement
    }

    mutating func remove(profile number: UInt32) {
        let requirement = requirementOfProfile[Int(number)]
        requirementOfProfile[Int(number)] = -1
        requirements[requirement].profiles -= 1
        guard requirements[requirement].profiles == 0 else { return }
        precondition(requirements[requirement].waitingCount == 0)
        let handler = requirements[requirement].handler
        handlers[handler].requirements.removeAll { $0 == requirement }
        requirementNumbers[requirements[requirement].key] = nil
        requirements.remove(requirement)
        releaseHandler(handler)
    }

    private mutating func makeRequirement(_ key: Requirement.Key) -> Int {
        let handler = retainHandler(key.handler)
        var requirement = Requirement(key: key, handler: handler)
        for (crewKey, crew) in crewNumbers
        where crewKey.handlers.contains(key.handler) && isSubset(key.tags, of: crewKey.tags) {
            requirement.crews.append(crew)
        }
        requirement.crews.sort()
        let number = requirements.insert(requirement)
        requirementNumbers[key] = number
        handlers[handler].requirements.append(number)
        return number
    }

    private mutating func retainHandler(_ name: String) -> Int {
        let number = handlerNumbers[name] ?? handlers.insert(HandlerEntry(name: name))
        handlerNumbers[name] = number
        handlers[number].references += 1
        return number
    }

    private mutating func releaseHandler(_ number: Int) {
        handlers[number].references -= 1
        guard handlers[number].references == 0 else { return }
        handlerNumbers[handlers[number].name] = nil
        handlers.remove(number)
    }

    private func isSubset(_ tags: [String], of others: [String]) -> Bool {
        tags.allSatisfy(others.contains)
    }

    // MARK: Workers and crews

    /// The worker is live from now on.
    mutating func join(_ number: UInt32, name: String, _ record: WorkerRecord) {
        while workers.count <= Int(number) { workers.append(Worker()) }
        precondition(workers[Int(number)].crew == nil)
        let key = Crew.Key(handlers: record.handlers, tags: record.tags)
        let crew = crewNumbers[key] ?? makeCrew(key)
        workers[Int(number)].nameHash = StableHash.of(name)
        workers[Int(number)].crew = crew
        workers[Int(number)].capacity = Int(record.slots)
        let worker = workers[Int(number)]
        crews[crew].members += 1
        crews[crew].slots += worker.capacity
        crews[crew].running += worker.running.count
        crews[crew].free += worker.free
        for ring in rings.indices where rings[ring].crews.contains(crew) {
            rings[ring].ring.insert(
                Ring.Member(worker: number, nameHash: worker.nameHash, slots: worker.capacity))
        }
    }

    /// The worker gets nothing more; what runs there stays noted until it is released.
    mutating func leave(_ number: UInt32) {
        guard Int(number) < workers.count else { return }
        let worker = workers[Int(number)]
        guard let crew = worker.crew else { return }
        workers[Int(number)].crew = nil
        crews[crew].members -= 1
        crews[crew].slots -= worker.capacity
        crews[crew].running -= worker.running.count
        crews[crew].free -= worker.free
        if crews[crew].members == 0 { return removeCrew(crew) }
        for ring in rings.indices where rings[ring].crews.contains(crew) {
            rings[ring].ring.remove(number)
        }
    }

    private mutating func makeCrew(_ key: Crew.Key) -> Int {
        let numbers = key.handlers.map { retainHandler($0) }
        let crew = crews.insert(Crew(key: key, handlers: numbers))
        crewNumbers[key] = crew
        for handler in numbers {
            for requirement in handlers[handler].requirements
            where isSubset(requirements[requirement].key.tags, of: key.tags) {
                requirements[requirement].crews.append(crew)
                requirements[requirement].crews.sort()
                updateListing(requirement)
            }
        }
        forgetRings()
        return crew
    }

    private mutating func removeCrew(_ crew: Int) {
        let numbers = crews[crew].handlers
        for handler in numbers {
            for requirement in handlers[handler].requirements
            where requirements[requirement].crews.contains(crew) {
                requirements[requirement].crews.removeAll { $0 == crew }
                updateListing(requirement)
            }
            releaseHandler(handler)
        }
        crewNumbers[crews[crew].key] = nil
        crews.remove(crew)
        forgetRings()
    }

    private mutating func forgetRings() {
        rings.removeAll(keepingCapacity: true)
        ringNumbers.removeAll(keepingCapacity: true)
        ringEpoch += 1
    }

    mutating func occupy(_ number: UInt32, _ task: TaskID) {
        changeRunning(number) { $0.insert(task.number) }
    }

    mutating func release(_ number: UInt32, _ task: TaskID) {
        changeRunning(number) { $0.remove(task.number) }
    }

    private mutating func changeRunning(_ number: UInt32, _ change: (inout Set<UInt64>) -> Void) {
        while workers.count <= Int(number) { workers.append(Worker()) }
        let countBefore = workers[Int(number)].running.count
        let freeBefore = workers[Int(number)].free
        change(&workers[Int(number)].running)
        guard let crew = workers[Int(number)].crew else { return }
        crews[crew].running += workers[Int(number)].running.count - countBefore
        crews[crew].free += workers[Int(number)].free - freeBefore
    }

    /// Numbers of the tasks that run there.
    func running(_ number: UInt32) -> Set<UInt64> {
        Int(number) < workers.count ? workers[Int(number)].running : []
    }

    func hasFreeSlot(_ number: UInt32) -> Bool {
        Int(number) < workers.count && workers[Int(number)].crew != nil
            && workers[Int(number)].free > 0
    }

    // MARK: Waiting tasks

    mutating func wait(_ requirement: Int, key: UInt64, _ task: TaskID) {
        requirements[requirement].waiting.push(key: key, id: task.number)
        requirements[requirement].waitingCount += 1
        waitingCount += 1
        if requirements[requirement].waitingCount == 1 { updateListing(requirement) }
    }

    /// A task of that requirement waits no more. Its entry stays in the heap until it comes up, or until most
    /// entries are like it.
    mutating func stopWaiting(_ requirement: Int, in tasks: TaskTable) {
        requirements[requirement].waitingCount -= 1
        waitingCount -= 1
        let live = requirements[requirement].waitingCount
        if live == 0 {
            requirements[requirement].waiting.removeAll()
            updateListing(requirement)
        } else if requirements[requirement].waiting.needsCompaction(live: live) {
            requirements[requirement].waiting.compact { Self.isWaiting($0, in: tasks) }
        }
    }

    /// Among the waiting tasks that the worker can run, the first by priority, due time and id.
    mutating func bestWaiting(for number: UInt32, in tasks: TaskTable) -> TaskID? {
        guard waitingCount > 0, hasFreeSlot(number), let crew = workers[Int(number)].crew
        else { return nil }
        var best: Heap.Entry?
        for handler in crews[crew].handlers where !handlers[handler].waiting.isEmpty {
            for requirement in handlers[handler].waiting
            where requirements[requirement].crews.contains(crew) {
                guard let top = firstWaiting(requirement, in: tasks) else { continue }
                if best.map({ top < $0 }) ?? true { best = top }
            }
        }
        return best.map { TaskID($0.id) }
    }

    private mutating func firstWaiting(_ requirement: Int, in tasks: TaskTable) -> Heap.Entry? {
        while let top = requirements[requirement].waiting.top {
            if Self.isWaiting(top, in: tasks) { return top }
            requirements[requirement].waiting.pop()
        }
        return nil
    }

    private static func isWaiting(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)) else { return false }
        return tasks[position].state == .ready && tasks[position].readyKey == entry.key
    }

    private mutating func updateListing(_ requirement: Int) {
        let belongs =
            requirements[requirement].waitingCount > 0 && !requirements[requirement].crews.isEmpty
        let handler = requirements[requirement].handler
        if belongs, requirements[requirement].place == nil {
            requirements[requirement].place = handlers[handler].waiting.count
            handlers[handler].waiting.append(requirement)
        } else if !belongs, let place = requirements[requirement].place {
            requirements[requirement].place = nil
            let last = handlers[handler].waiting.removeLast()
            guard last != requirement else { return }
            handlers[handler].waiting[place] = last
            requirements[last].place = place
        }
    }

    // MARK: Choice

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
