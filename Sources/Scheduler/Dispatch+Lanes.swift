/// Waiting tasks, and which of them is next.
///
/// Within a lane and priority the lowest tag goes first (`Flow`). Between lanes and priorities the earliest
/// `TaskRecord.startKey` does: a priority is a head start, not a privilege, so that nothing waits for ever.
extension Dispatch {
    /// Of a task that waits for a slot, or is about to.
    struct Waiting {
        let id: UInt64
        let lane: Int
        let priority: Int
        let tag: UInt64
        let flow: UInt64?
        let isParked: Bool
    }

    func waiting(_ id: TaskID, at position: TaskTable.Position, in tasks: TaskTable) -> Waiting {
        Waiting(
            id: id.number, lane: laneOfProfile[Int(tasks[position].profile)],
            priority: Int(tasks[position].priority), tag: tasks[position].tag,
            flow: tasks[position].flow, isParked: tasks[position].isParked)
    }

    func queue(ofProfile profile: UInt32) -> UInt32 {
        lanes[laneOfProfile[Int(profile)]].key.queue
    }

    func requirement(ofProfile profile: UInt32) -> Int {
        lanes[laneOfProfile[Int(profile)]].key.requirement
    }

    /// `virtualTime`: of its queue at its priority.
    mutating func wait(_ task: Waiting, virtualTime: UInt64, in tasks: TaskTable) {
        let queue = lanes[task.lane].key.queue
        queues[Int(queue)].flows[task.priority].add(
            Heap.Entry(key: task.tag, id: task.id), to: task.flow, isNew: task.tag > virtualTime)
        if !task.isParked { enterLane(task, in: tasks) }
    }

    /// It is counted among its flow already.
    mutating func enterLane(_ task: Waiting, in tasks: TaskTable) {
        let key = lanes[task.lane].key
        let entry = Heap.Entry(key: task.tag, id: task.id)
        lanes[task.lane].levels[task.priority].waiting.push(key: entry.key, id: entry.id)
        lanes[task.lane].levels[task.priority].count += 1
        lanes[task.lane].waitingCount += 1
        waitingCount += 1
        if lanes[task.lane].levels[task.priority].count == 1 {
            requirements[key.requirement].waitingLevels += 1
        }
        if lanes[task.lane].levels[task.priority].waiting.top == entry {
            announce(task.lane, task.priority, in: tasks)
        }
    }

    /// It waits no more. Its entry stays in the heap until it comes up, or until most entries are like it.
    mutating func stopWaiting(_ task: Waiting, in tasks: TaskTable) {
        let queue = lanes[task.lane].key.queue
        queues[Int(queue)].flows[task.priority].removeOne(from: task.flow, in: tasks)
        if !task.isParked { leaveLane(task, in: tasks) }
    }

    mutating func leaveLane(_ task: Waiting, in tasks: TaskTable) {
        let key = lanes[task.lane].key
        waitingCount -= 1
        lanes[task.lane].waitingCount -= 1
        lanes[task.lane].levels[task.priority].count -= 1
        let live = lanes[task.lane].levels[task.priority].count
        guard live > 0 else {
            lanes[task.lane].levels[task.priority].waiting.removeAll()
            requirements[key.requirement].waitingLevels -= 1
            return
        }
        if lanes[task.lane].levels[task.priority].waiting.top?.id == task.id {
            // At once, and not when it is looked at: the next one may be ahead of others.
            while let top = lanes[task.lane].levels[task.priority].waiting.top,
                !Lane.isWaiting(top, in: tasks)
            {
                lanes[task.lane].levels[task.priority].waiting.pop()
            }
            announce(task.lane, task.priority, in: tasks)
        } else {
            lanes[task.lane].levels[task.priority].waiting.tidy(live: live, looks: Self.looks) {
                Lane.isWaiting($0, in: tasks)
            }
        }
    }

    /// The tag of a task that gets ready now.
    mutating func nextTag(
        _ queue: UInt32, priority: UInt8, flow: UInt64?, virtualTime: UInt64, in tasks: TaskTable
    ) -> UInt64 {
        let last = queues[Int(queue)].flows[Int(priority)].lastTag(of: flow, in: tasks)
        return max(virtualTime, last) + 1
    }

    /// Entries that are looked at to tidy up when one gets stale: several, as fewer than half of them may be stale.
    private static let looks = 8

    // MARK: Heads

    /// Puts the first task of the lane at this priority among the heads.
    private mutating func announce(_ lane: Int, _ priority: Int, in tasks: TaskTable) {
        let key = lanes[lane].key
        guard queues[Int(key.queue)].isOpen,
            let top = lanes[lane].levels[priority].waiting.top,
            let position = tasks.position(of: TaskID(top.id))
        else { return }
        let requirement = key.requirement
        requirements[requirement].heads.push(key: tasks[position].startKey, id: top.id)
        let live = requirements[requirement].waitingLevels
        if requirements[requirement].heads.isUntidy(live: live) {
            var heads = requirements[requirement].heads
            requirements[requirement].heads = Heap()
            heads.tidy(live: live, looks: Self.looks) { isHead($0, in: tasks) }
            requirements[requirement].heads = heads
        }
        updateListing(requirement)
    }

    private func isHead(_ entry: Heap.Entry, in tasks: TaskTable) -> Bool {
        guard let position = tasks.position(of: TaskID(entry.id)),
            tasks[position].state == .ready, tasks[position].startKey == entry.key
        else { return false }
        let lane = laneOfProfile[Int(tasks[position].profile)]
        return queues[Int(lanes[lane].key.queue)].isOpen
            && lanes[lane].levels[Int(tasks[position].priority)].waiting.top?.id == entry.id
    }

    /// Tasks of the lane may start, as far as its queue and namespace go.
    func mayStart(_ lane: Lane.Key) -> Bool {
        queues[Int(lane.queue)].isOpen
            && !spaces[Int(requirements[lane.requirement].key.space)].isFull
    }

    /// The first of the requirement's waiting tasks whose queues are open; nil as well if their namespace is full.
    mutating func firstWaiting(_ requirement: Int, in tasks: TaskTable) -> Heap.Entry? {
        guard !spaces[Int(requirements[requirement].key.space)].isFull else { return nil }
        while let top = requirements[requirement].heads.top {
            if isHead(top, in: tasks) { return top }
            requirements[requirement].heads.pop()
        }
        updateListing(requirement)
        return nil
    }

    /// Likewise, if a worker that can run it has a free slot. A requirement may have gone with its last task, which expired
    /// when its turn came and was not to be kept.
    mutating func firstStartable(_ requirement: Int, in tasks: TaskTable) -> Heap.Entry? {
        guard requirements.holds(requirement) else { return nil }
        let hasFree = requirements[requirement].crews.contains { crews[$0].free > 0 }
        return hasFree ? firstWaiting(requirement, in: tasks) : nil
    }

    /// The first among the waiting tasks that the worker can run.
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

    mutating func updateListing(_ requirement: Int) {
        updateListing(inSpace: requirement)
        updateListing(inHandler: requirement)
    }

    mutating func updateListing(inHandler requirement: Int) {
        let belongs =
            requirements[requirement].spacePlace != nil
            && !spaces[Int(requirements[requirement].key.space)].isFull
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

    // MARK: Queues

    mutating func addQueue(_ number: UInt32, _ record: QueueRecord, space: UInt32) {
        while queues.count <= Int(number) { queues.append(QueueLoad()) }
        queues[Int(number)] = QueueLoad()
        queues[Int(number)].space = space
        spaces[Int(space)].queues.append(number)
        configure(number, record)
        queues[Int(number)].isOpen = queues[Int(number)].mayStart
    }

    /// Nothing names the queue any more.
    mutating func removeQueue(_ number: UInt32) {
        let space = Int(queues[Int(number)].space)
        spaces[space].queues.removeAll { $0 == number }
    }

    /// Takes over what the record says; `updateGate` follows.
    mutating func configure(_ number: UInt32, _ record: QueueRecord) {
        queues[Int(number)].isHeld = !record.mayStart
        queues[Int(number)].countsStarts = record.spec.rate != nil || record.spec.breaker != nil
        queues[Int(number)].hasKeyLimits = !record.spec.limits.isEmpty
        queues[Int(number)].concurrency = record.spec.concurrency.map(Int.init) ?? .max
        queues[Int(number)].maxPending = record.spec.maxPending.map(Int.init) ?? .max
    }

    /// A task of the queue went from one state to another; nil: it is new, or gone.
    mutating func count(
        _ number: UInt32, from old: TaskState?, to new: TaskState?, in tasks: TaskTable
    ) {
        if let old { queues[Int(number)].counts[Int(old.rawValue)] -= 1 }
        if let new { queues[Int(number)].counts[Int(new.rawValue)] += 1 }
        count(inSpace: queues[Int(number)].space, from: old, to: new)
        if old == .running || new == .running { updateGate(number, in: tasks) }
    }

    /// Opens or closes the queue as it has to be.
    mutating func updateGate(_ number: UInt32, in tasks: TaskTable) {
        let mayStart = queues[Int(number)].mayStart
        guard mayStart != queues[Int(number)].isOpen else { return }
        queues[Int(number)].isOpen = mayStart
        guard mayStart else { return }
        for lane in queues[Int(number)].lanes where lanes[lane].waitingCount > 0 {
            if reopened.last != number { reopened.append(number) }
            for priority in 0..<10 where lanes[lane].levels[priority].count > 0 {
                announce(lane, priority, in: tasks)
            }
        }
    }

    /// The requirements of tasks that may start since their queues or namespaces opened.
    mutating func takeReopened() -> [Int] {
        guard !reopened.isEmpty || !reopenedSpaces.isEmpty else { return [] }
        var found: [Int] = []
        for space in reopenedSpaces {
            for requirement in spaces[Int(space)].requirements
            where requirements[requirement].place != nil {
                found.append(requirement)
            }
        }
        reopenedSpaces.removeAll(keepingCapacity: true)
        for queue in reopened {
            for lane in queues[Int(queue)].lanes where lanes[lane].waitingCount > 0 {
                found.append(lanes[lane].key.requirement)
            }
        }
        reopened.removeAll(keepingCapacity: true)
        return found
    }

    /// By id.
    func keyedTasks(inLanesOf queue: UInt32, in tasks: TaskTable) -> [TaskID] {
        var found: Set<UInt64> = []
        for lane in queues[Int(queue)].lanes {
            for level in lanes[lane].levels {
                level.waiting.forEach { entry in
                    guard Lane.isWaiting(entry, in: tasks),
                        let position = tasks.position(of: TaskID(entry.id)),
                        tasks[position].isKeyed
                    else { return }
                    found.insert(entry.id)
                }
            }
        }
        return found.sorted().map { TaskID($0) }
    }

    /// The flows get their tasks by id when a snapshot is loaded.
    mutating func sortFlows() {
        for queue in queues.indices {
            for priority in queues[queue].flows.indices { queues[queue].flows[priority].sort() }
        }
    }
}
