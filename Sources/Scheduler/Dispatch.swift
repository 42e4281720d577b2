/// Who can run what, who waits, and who has a free slot. Derived from the state: it is rebuilt when a snapshot
/// is loaded, and every choice it makes depends on the state alone, so a replica that was restored goes on
/// exactly like one that never stopped.
///
/// No waiting task of an open queue can be run by a worker with a free slot: whenever a task gets ready, a slot free
/// or a queue open, they meet within the same command.
///
/// Waiting tasks stand in lanes, by queue and requirement; of each lane and priority the first one stands among the
/// heads of its requirement, if the queue is open: `Dispatch+Lanes`. Which worker takes a task: `Dispatch+Choice`.
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

    struct CachedRing: Sendable {
        var crews: [Int]
        var ring: Ring
    }

    private(set) var workers: [Worker] = []
    var queues: [QueueLoad] = []
    /// The default namespace is always there.
    var spaces = [SpaceLoad()]
    /// Queues that have opened and whose waiting tasks have not met the free workers yet.
    var reopened: [UInt32] = []
    /// Likewise namespaces of which fewer run than may.
    var reopenedSpaces: [UInt32] = []
    private(set) var laneOfProfile: [Int] = []
    var lanes = Pool<Lane>()
    private var laneNumbers: [Lane.Key: Int] = [:]
    var waitingCount = 0

    private(set) var crews = Pool<Crew>()
    private var crewNumbers: [Crew.Key: Int] = [:]
    var requirements = Pool<Requirement>()
    private var requirementNumbers: [Requirement.Key: Int] = [:]
    var handlers = Pool<HandlerEntry>()
    private var handlerNumbers: [String: Int] = [:]
    var rings: [CachedRing] = []
    var ringNumbers: [[Int]: Int] = [:]
    /// Rises when crews come or go: which rings there are has changed.
    private(set) var ringEpoch = 0

    // MARK: Profiles, lanes and requirements

    mutating func add(_ profile: Profile, number: UInt32, queue: UInt32) {
        let requirementKey = Requirement.Key(
            handler: profile.handler, tags: profile.tags, space: queues[Int(queue)].space)
        let requirement = requirementNumbers[requirementKey] ?? makeRequirement(requirementKey)
        let key = Lane.Key(queue: queue, requirement: requirement)
        let lane = laneNumbers[key] ?? makeLane(key)
        lanes[lane].profiles += 1
        while laneOfProfile.count <= Int(number) { laneOfProfile.append(-1) }
        laneOfProfile[Int(number)] = lane
    }

    mutating func remove(profile number: UInt32) {
        let lane = laneOfProfile[Int(number)]
        laneOfProfile[Int(number)] = -1
        lanes[lane].profiles -= 1
        if lanes[lane].profiles == 0 { removeLane(lane) }
    }

    private mutating func makeLane(_ key: Lane.Key) -> Int {
        let lane = lanes.insert(Lane(key))
        laneNumbers[key] = lane
        lanes[lane].place = queues[Int(key.queue)].lanes.count
        queues[Int(key.queue)].lanes.append(lane)
        requirements[key.requirement].lanes += 1
        return lane
    }

    private mutating func removeLane(_ lane: Int) {
        precondition(lanes[lane].waitingCount == 0)
        let key = lanes[lane].key
        laneNumbers[key] = nil
        // The last one takes its place: a queue may have a lane for each of thousands of handlers.
        let place = lanes[lane].place
        let last = queues[Int(key.queue)].lanes.removeLast()
        if last != lane {
            queues[Int(key.queue)].lanes[place] = last
            lanes[last].place = place
        }
        lanes.remove(lane)
        requirements[key.requirement].lanes -= 1
        if requirements[key.requirement].lanes == 0 { removeRequirement(key.requirement) }
    }

    private mutating func removeRequirement(_ requirement: Int) {
        // Entries of tasks that are gone may be left among its heads.
        requirements[requirement].heads.removeAll()
        updateListing(requirement)
        let handler = requirements[requirement].handler
        let place = requirements[requirement].handlerPlace
        let last = handlers[handler].requirements.removeLast()
        if last != requirement {
            handlers[handler].requirements[place] = last
            requirements[last].handlerPlace = place
        }
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
        requirements[number].handlerPlace = handlers[handler].requirements.count
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
}
