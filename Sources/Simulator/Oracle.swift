import Raft
import Scheduler

/// Knows what the cluster may say: it applies every committed entry once, to a state machine of its own, and
/// keeps simple books beside it about what must never happen twice, be lost, or be undone.
struct Oracle {
    /// What the cluster's state is at the end of the ledger.
    private(set) var reference = Scheduler()
    private(set) var tasks: [TaskID: TaskAccount] = [:]
    private(set) var taskIDs: [TaskID] = []  // As they came to be.
    private(set) var schedules = ScheduleBooks()
    private(set) var workflows = WorkflowBooks()
    private(set) var (queues, keys, caches) = (QueueBooks(), KeyBooks(), CacheBooks())
    private(set) var deliveries = DeliveryBooks()
    var (beginnings, attachments) = (BeginningBooks(), AttachmentBooks())
    private(set) var bulkJobs = BulkBooks()
    private(set) var backfills = BackfillBooks()
    private(set) var namespaces = NamespaceBooks()
    var history = HistoryBooks()
    private(set) var (turns, retention) = (TurnBooks(), RetentionBooks())
    var registers = Registers()
    /// Of requests that were refused with the promise that nothing was done.
    private var undone: Set<[UInt8]> = []
    private var digests: [UInt64] = [0]
    private var outcomes: [Identity: Outcome] = [:]
    private var lives: [String: OriginLives] = [:]
    private var idOfPayload: [[UInt8]: TaskID] = [:]
    private var idOfKey: [String: TaskID] = [:]
    private var events: [Event] = []
    /// Attempts of the entry at hand that were followed by another and have to be accepted in it, or before.
    private var superseded: [(TaskID, UInt32)] = []

    private struct Identity: Hashable {
        var origin: String
        var incarnation: UInt64
        var sequence: UInt64
    }

    struct TaskAccount {
        var createdIndex: Index
        var state: TaskState
        var queue: String
        var handler: String
        var tags: [String]
        var isAtMostOnce: Bool
        var isAcknowledged = false
        var attempts: [AttemptAccount] = []
    }

    struct AttemptAccount {
        let assignment: Assignment
        /// Index of the entry that took it back or gave the task a next attempt.
        var closedIndex: Index?
        var isAccepted = false
        /// nil: nobody has reported one.
        var end: AttemptEnd?
        /// A user asked for another try after it.
        var isWrittenOff = false

        var number: UInt32 { assignment.attempt }
        var fence: UInt64 { assignment.fence }
    }

    /// Payloads that begin so are unique to one request of a client.
    static let uniqueMark = Array("{\"unique\":".utf8)

    var applied: Index { reference.appliedIndex }

    func digest(at index: Index) -> UInt64 { digests[Int(index)] }

    // MARK: The ledger

    mutating func apply(_ entry: Entry) throws(Violation) {
        switch entry.payload {
        case .lost:
            throw Violation("committed entries are whole", "entry \(entry.index) is damaged")
        case .noop, .configuration:
            reference.noteApplied(index: entry.index)
        case .command(let bytes):
            let (time, commands) = try contents(of: bytes)
            events.removeAll(keepingCapacity: true)
            do {
                try reference.apply(bytes, index: entry.index, into: &events)
            } catch {
                throw Violation("entries decode", "entry \(entry.index): \(error)")
            }
            try retention.note(commands, events, reference, tasks)
            try note(events, commands, entry.index)
            try schedules.note(commands, events, at: time, reference)
            try backfills.note(commands, events, reference)
        }
        digests.append(reference.digest)
    }

    private func contents(
        of bytes: [UInt8]
    ) throws(Violation) -> (time: Milliseconds, [Request]) {
        do {
            return (try EntryPayload(decoding: bytes).time, try Request.all(in: bytes))
        } catch {
            throw Violation("entries decode", "\(error)")
        }
    }

    private mutating func note(
        _ events: [Event], _ requests: [Request], _ index: Index
    ) throws(Violation) {
        var retried: [TaskID] = []
        for request in requests {
            if case .retry(let task) = request.command { retried.append(task) }
        }
        retried += bulkJobs.retries(events, asked: retried, reference, tasks)
        try workflows.note(events, retried: retried, reference)
        for event in events {
            switch event {
            case .taskChanged(let id, let state):
                try note(id, became: state, retried: retried, index)
            case .assigned(let assignment):
                try note(assignment, index)
            case .revoked(_, _, let task, let attempt):
                tasks[task]?.close(attempt, at: index)
            case .outcome(let origin, let incarnation, let sequence, let outcome):
                let identity = Identity(
                    origin: origin, incarnation: incarnation, sequence: sequence)
                try note(outcome, of: identity, requests, index)
            case .scheduleFired, .occurrencesPassed, .workerChanged, .queueChanged:
                continue
            }
        }
        try checkSuperseded()
        try queues.note(requests, events, reference, tasks)
        try deliveries.note(requests, events, reference)
        try bulkJobs.note(retried: retried, reference, tasks)
        try caches.note(events, reference)
        try history.note(events, reference)
        try keys.note(requests, events, reference, tasks)
        try namespaces.note(requests, events, reference, tasks)
        try turns.note(requests, events, reference)
    }

    /// A task that may be delivered once only has a next attempt only if the end of the one before is known, or it never
    /// began. The outcome of a finish stands behind what it causes, so this waits for the end of the entry.
    private mutating func checkSuperseded() throws(Violation) {
        for (id, number) in superseded {
            let attempt = tasks[id]?.attempts.first { $0.number == number }
            guard attempt?.end == .told || attempt?.end == .neverBegun else {
                throw Violation(
                    "at most once is not twice", "\(id) is given away again after attempt \(number)"
                )
            }
        }
        superseded.removeAll(keepingCapacity: true)
    }

    private mutating func note(
        _ id: TaskID, became state: TaskState, retried: [TaskID], _ index: Index
    ) throws(Violation) {
        guard let old = tasks[id]?.state else {
            try open(id, state, index)
            return
        }
        if old.isFinal, old != state {
            guard !state.isFinal || retried.contains(id) else {
                throw Violation(
                    "finished tasks stay finished", "\(id) went from \(old.name) to \(state.name)")
            }
            guard old != .succeeded, retried.contains(id) else {
                throw Violation(
                    "finished tasks stay finished",
                    "\(id) went from \(old.name) to \(state.name) unasked")
            }
            // One that runs at once was assigned anew before.
            if state != .running, let last = tasks[id]?.attempts.indices.last {
                tasks[id]?.attempts[last].isWrittenOff = true
            }
        }
        tasks[id]?.state = state
    }

    private mutating func open(
        _ id: TaskID, _ state: TaskState, _ index: Index
    ) throws(Violation) {
        guard let view = reference.task(id) else {
            throw Violation("tasks exist", "\(id) is announced and not there")
        }
        if let last = taskIDs.last, id <= last {
            throw Violation("ids rise", "\(id) came after \(last)")
        }
        taskIDs.append(id)
        tasks[id] = TaskAccount(
            createdIndex: index, state: state, queue: view.spec.queue, handler: view.spec.handler,
            tags: view.spec.tags,
            isAtMostOnce: view.spec.delivery == .atMostOnce)
        if let key = view.spec.key {
            if let other = idOfKey[key] {
                throw Violation("one task a key", "\(other) and \(id) have the key \(key)")
            }
            idOfKey[key] = id
        }
        guard view.schedule == nil, view.spec.payload.starts(with: Self.uniqueMark) else { return }
        try checkNotRefused(view.spec.payload)
        if let other = idOfPayload[view.spec.payload] {
            throw Violation("a request is done once", "\(other) and \(id) came of one submission")
        }
        idOfPayload[view.spec.payload] = id
    }

    private mutating func note(_ assignment: Assignment, _ index: Index) throws(Violation) {
        let id = assignment.task
        // A task that starts at once is announced by its assignment.
        if tasks[id] == nil { try open(id, .ready, index) }
        guard var account = tasks[id] else { return }
        if let last = account.attempts.last {
            guard assignment.fence > last.fence, assignment.attempt == last.number + 1 else {
                throw Violation(
                    "fences rise",
                    "\(id): attempt \(assignment.attempt) with fence \(assignment.fence) after \(last)"
                )
            }
            // A task at its end gets another try only if somebody asks for it.
            if account.isAtMostOnce, !account.state.isFinal, !last.isWrittenOff {
                superseded.append((id, last.number))
            }
            account.close(last.number, at: index)
            if account.state.isFinal {
                account.attempts[account.attempts.count - 1].isWrittenOff = true
            }
        }
        account.attempts.append(AttemptAccount(assignment: assignment))
        tasks[id] = account
        guard let worker = reference.worker(assignment.worker) else {
            throw Violation("assigned to a worker", "\(assignment.worker) is not known")
        }
        guard worker.running <= worker.spec.slots,
            worker.spec.handlers.contains(assignment.handler),
            account.tags.allSatisfy(worker.spec.tags.contains)
        else {
            throw Violation(
                "assigned to a worker that can",
                "\(id) (\(assignment.handler) \(account.tags)) on \(worker)")
        }
    }

    private mutating func note(
        _ outcome: Outcome, of identity: Identity, _ requests: [Request], _ index: Index
    ) throws(Violation) {
        let verdict = lives[identity.origin, default: OriginLives()].note(
            identity.incarnation, isRefused: outcome == .rejected(.staleIncarnation))
        switch verdict {
        case .present: break
        case .formerRefused: return
        case .formerServed:
            throw Violation("stale processes are refused", "\(identity) had \(outcome)")
        case .newcomerRefused:
            try checkNoMember(identity, requests)
            return
        }
        if let earlier = outcomes[identity] {
            guard earlier == outcome else {
                throw Violation(
                    "a request has one outcome", "\(identity) had \(earlier), now \(outcome)")
            }
            return
        }
        outcomes[identity] = outcome
        guard
            let request = requests.first(where: {
                $0.origin == identity.origin && $0.incarnation == identity.incarnation
                    && $0.sequence == identity.sequence
            })
        else {
            throw Violation("outcomes have requests", "\(identity) is not in entry \(index)")
        }
        if case .finish(let finish) = request.command, outcome == .done {
            try accept(finish, index)
        }
        switch (request.command, outcome) {
        case (.submitGraph(let graph), .task(let first, false)):
            try workflows.submitted(graph, first)
        case (.cancelWorkflow(let id), .done):
            let retried = requests.compactMap { request -> TaskID? in
                if case .retry(let task) = request.command { task } else { nil }
            }
            try workflows.cancelled(id, retried: retried, reference)
        case (.attachWorker(_, let key?), .session(let session)):
            try attachments.note(key, session)
        case (.beginBulkJob(let spec), .bulkJob(let id, false)):
            bulkJobs.begin(id, spec, index, reference, tasks)
        default: break
        }
        if case .schedule = outcome,
            case .putSchedule(let name, let spec, _, _, _) = request.command,
            Registers.isRegister(name)
        {
            try checkNotRefused(spec.task.payload)
            try registers.written(spec.task.payload)
        }
    }

    /// Whoever is refused at first sight has left again meanwhile.
    private func checkNoMember(_ identity: Identity, _ requests: [Request]) throws(Violation) {
        let isRegistration = requests.contains { request in
            guard case .registerWorker = request.command else { return false }
            return request.origin == identity.origin && request.incarnation == identity.incarnation
                && request.sequence == identity.sequence
        }
        guard isRegistration, let member = reference.member(identity.origin) else { return }
        let first = Incarnation.number(directory: member.directory, start: 0)
        guard identity.incarnation >> 32 == first >> 32 else { return }
        throw Violation("a member's process is not refused", "\(identity) of \(member)")
    }

    private func checkNotRefused(_ payload: [UInt8]) throws(Violation) {
        guard undone.contains(payload) else { return }
        throw Violation(
            "what was refused is not done",
            "\(String(decoding: payload.prefix(40), as: UTF8.self)) is in the log")
    }

    /// A client was told that nothing was done. `payload` belongs to that one request.
    mutating func noteRefused(_ payload: [UInt8]) throws(Violation) {
        undone.insert(payload)
        if idOfPayload[payload] != nil || registers.isWritten(payload) {
            try checkNotRefused(payload)
        }
    }

    private mutating func accept(_ finish: Finish, _ index: Index) throws(Violation) {
        guard var account = tasks[finish.task],
            let place = account.attempts.firstIndex(where: { $0.number == finish.attempt })
        else {
            throw Violation("only assigned attempts finish", "\(finish)")
        }
        let attempt = account.attempts[place]
        guard attempt.fence == finish.fence, !attempt.isAccepted,
            attempt.closedIndex == nil || attempt.closedIndex == index
        else {
            throw Violation("one accepted result an attempt", "\(finish) accepted for \(attempt)")
        }
        account.attempts[place].isAccepted = true
        account.attempts[place].end = AttemptEnd(finish)
        if !finish.hasBegun { try beginnings.noteHandedBack(finish) }
        account.attempts[place].closedIndex = index
        tasks[finish.task] = account
    }

    // MARK: What clients are told

    /// It is there, or was dropped when its time was up.
    func isKept(_ id: TaskID) -> Bool {
        reference.state(of: id) != nil || retention.isDropped(id)
    }

    /// A client was told that its submission became this task. Returns the index from which on everybody must
    /// see it.
    mutating func checkSubmitted(
        _ spec: TaskSpec, _ id: TaskID, existed: Bool
    ) throws(Violation) -> Index {
        guard let account = tasks[id], isKept(id) else {
            throw Violation(
                "no acknowledged task is lost", "\(id) is acknowledged, not in the ledger")
        }
        tasks[id]?.isAcknowledged = true
        if let key = spec.key {
            guard idOfKey[key] == id else {
                throw Violation("one task a key", "\(key) is \(id) for one and not for all")
            }
        } else {
            guard idOfPayload[spec.payload] == id, !existed else {
                throw Violation("the answer is the client's own", "\(id) answers \(spec)")
            }
        }
        return account.createdIndex
    }

    /// A client was told that its workflow begins with this task.
    mutating func checkSubmitted(_ graph: GraphSpec, _ first: TaskID) throws(Violation) -> Index {
        for (place, item) in graph.items.enumerated() {
            let id = TaskID(first.number + UInt64(place))
            guard let account = tasks[id], idOfPayload[item.spec.payload] == id else {
                throw Violation(
                    "no acknowledged task is lost", "\(id) is acknowledged, not in the ledger")
            }
            tasks[id]?.isAcknowledged = true
            if place == graph.items.count - 1 { return account.createdIndex }
        }
        throw Violation("answers fit", "\(first) answers a workflow without tasks")
    }
}
