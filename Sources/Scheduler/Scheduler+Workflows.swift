/// Workflows: tasks that are taken in together and can be cancelled together.
extension Scheduler {
    /// All of its tasks or none, under successive numbers; the outcome names the first one.
    mutating func submitGraph(
        _ graph: GraphSpec, _ events: inout [Event]
    ) throws(CodecError) -> Outcome {
        let count = graph.items.count
        let first = TaskID(state.nextTask)
        let namespace = Namespace(of: graph.items[0].spec.queue)
        guard graph.items.allSatisfy({ namespace.holds($0.spec.queue) }) else {
            return .rejected(.malformed)
        }
        var remembered: KeyLog.Entry?
        if let key = graph.key {
            let hash = keyHash(Array(key.utf8), 0..<key.utf8.count, namespace)
            let fingerprint = fingerprint(of: graph)
            if let place = index.keys[hash] {
                let entry = state.keys[place]
                guard entry.fingerprint == fingerprint else { return .rejected(.keyConflict) }
                return .task(entry.task, existed: true)
            }
            guard state.keys.count < capacity.keys else { return .rejected(.full) }
            remembered = KeyLog.Entry(
                key: hash, task: first, fingerprint: fingerprint, rememberedAt: state.time)
        }
        guard state.tasks.count + count <= capacity.tasks else { return .rejected(.full) }
        if let refusal = refusal(of: graph) { return .rejected(refusal) }
        var dueTimes: [Milliseconds] = []
        for item in graph.items {
            dueTimes.append(try dueTime(item.spec.start))
            guard item.spec.after.allSatisfy({ self.namespace(of: $0) == namespace }) else {
                return .rejected(.missingDependency)
            }
        }
        guard hasRoom(for: namespace) else { return .rejected(.full) }
        if let space = index.namespaceNumbers[namespace.name],
            let refusal = admit(count, toSpace: space)
        {
            return .rejected(refusal)
        }
        if let remembered { index.keys[remembered.key] = state.keys.append(remembered) }
        let workflow = WorkflowID(first: first)
        for (place, item) in graph.items.enumerated() {
            let membership = WorkflowMembership(id: workflow, count: count, name: item.name)
            let dependencies = dependencies(of: item, in: graph, first)
            let record = record(of: item.spec, dueAt: dueTimes[place]) { fields in
                fields.workflow = membership
                fields.dependencies = dependencies
            }
            _ = create(record, &events)
        }
        return .task(first, existed: false)
    }

    /// Nil if the queues have room for all of it.
    private func refusal(of graph: GraphSpec) -> Rejection? {
        var counts: [String: Int] = [:]
        for item in graph.items { counts[item.spec.queue, default: 0] += 1 }
        let newCount = counts.keys.count { index.queueNumbers[$0] == nil }
        guard state.queues.count + newCount <= capacity.queues else { return .full }
        return counts.allSatisfy { hasRoom(for: $0.value, inQueue: $0.key) } ? nil : .queueFull
    }

    private func fingerprint(of graph: GraphSpec) -> UInt64 {
        var writer = ByteWriter()
        graph.encode(into: &writer)
        var hash = StableHash()
        hash.mix(writer.bytes)
        return hash.digest
    }

    /// nil if it waits for none. A predecessor that ended and was dropped while the graph was being taken in has
    /// failed as far as anybody can tell.
    private func dependencies(
        of item: GraphSpec.Item, in graph: GraphSpec, _ first: TaskID
    ) -> Dependencies? {
        guard !item.after.isEmpty || !item.spec.after.isEmpty else { return nil }
        var names: [TaskID: String] = [:]
        var after = item.spec.after
        for place in item.after {
            let task = TaskID(first.number + UInt64(place))
            names[task] = graph.items[Int(place)].name
            after.append(task)
        }
        var dependencies = Dependencies(
            after: after, policy: item.spec.onDependencyFailure, names: names)
        resolveKept(&dependencies)
        return dependencies
    }

    /// The spec was encoded and decoded already, so it is sound.
    mutating func record(
        of spec: TaskSpec, dueAt: Milliseconds,
        _ change: (inout TaskExtra.Fields) -> Void = { _ in }
    ) -> TaskRecord {
        var writer = ByteWriter(capacity: spec.payload.count + 192)
        spec.encode(into: &writer)
        var reader = ByteReader(writer.bytes)
        do {
            let layout = try SpecLayout(from: &reader)
            var fields = try layout.rareFields(in: writer.bytes)
            change(&fields)
            let number =
                if let known = profileNumber(writer.bytes, layout.profile) { known } else {
                    intern(try Profile(decoding: Array(writer.bytes[layout.profile])))
                }
            return TaskRecord(
                payload: spec.payload, extra: TaskExtra(fields), dueAt: dueAt,
                createdAt: state.time, profile: number, state: .scheduled,
                priority: layout.priority)
        } catch {
            preconditionFailure("a task that was decoded can't be encoded: \(error)")
        }
    }

    /// Those that don't run go first: a slot that gets free must not start one of them.
    mutating func cancelWorkflow(_ id: WorkflowID, _ events: inout [Event]) -> Outcome {
        guard let numbers = tasks(of: id) else { return .rejected(.notFound) }
        let open = numbers.map { TaskID($0) }.filter { self.state(of: $0)?.isFinal == false }
        guard !open.isEmpty else { return .rejected(.wrongState) }
        let running = open.filter { self.state(of: $0) == .running }
        for task in open where self.state(of: task) != .running { _ = cancel(task, &events) }
        for task in running { _ = cancel(task, &events) }
        return .done
    }

    /// The numbers of its tasks; nil if none of them is kept.
    private func tasks(of id: WorkflowID) -> Range<UInt64>? {
        let first = id.first.number
        for number in first..<first + UInt64(Limits.maxGraphTasks) {
            guard let position = state.tasks.position(of: TaskID(number)) else { continue }
            let membership = state.tasks[position].extra?.fields.workflow
            return membership?.id == id ? membership?.tasks : nil
        }
        return nil
    }

    /// nil if there is none, or if none of its tasks is kept any more.
    public func workflow(_ id: WorkflowID) -> WorkflowView? {
        guard let numbers = tasks(of: id) else { return nil }
        let members = numbers.compactMap { number -> WorkflowView.Member? in
            guard let position = state.tasks.position(of: TaskID(number)) else { return nil }
            let record = state.tasks[position]
            return WorkflowView.Member(
                id: TaskID(number), name: record.extra?.fields.workflow?.name, state: record.state)
        }
        return WorkflowView(id: id, count: numbers.count, tasks: members)
    }
}
