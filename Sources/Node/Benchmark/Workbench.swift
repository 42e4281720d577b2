import Glibc
import Scheduler

/// A scheduler that is fed as a leader would do it, and a clock for what that takes.
struct Workbench {
    private(set) var scheduler = Scheduler()
    /// Of the last entry.
    private(set) var events: [Event] = []
    /// What that took.
    private(set) var last = PartSample()
    var time: Milliseconds = 1_700_000_000_000
    private var sequence: UInt64 = 0
    private let meter: PartMeter

    init(meter: PartMeter = PartMeter(rounds: 1, allocations: { 0 })) {
        self.meter = meter
    }

    /// Applies one entry, and tells the nanoseconds that took.
    @discardableResult
    mutating func apply(_ commands: [Command]) -> UInt64 {
        var group = CommandGroup(
            origin: "n1", incarnation: 1, acknowledgedBelow: sequence + 1)
        for command in commands {
            sequence += 1
            group.append(sequence: sequence, command: command.encoded())
        }
        return apply(group)
    }

    /// What a leader proposes by itself.
    @discardableResult
    mutating func advance(_ firings: [Firing] = []) -> UInt64 {
        var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
        group.append(sequence: 0, command: Command.advance(firings).encoded())
        return apply(group)
    }

    private mutating func apply(_ group: CommandGroup) -> UInt64 {
        let entry = EntryPayload(time: time, groups: [group]).encoded()
        events.removeAll(keepingCapacity: true)
        let index = scheduler.appliedIndex + 1
        let begun = meter.read()
        do {
            try scheduler.apply(entry, index: index, into: &events)
        } catch {
            preconditionFailure("an entry of the benchmark can't be applied: \(error)")
        }
        last = meter.since(begun)
        return last.processorNanoseconds
    }

    /// Whatever is due happens, portion by portion; how long each took.
    mutating func settle() -> [UInt64] {
        var portions: [UInt64] = []
        while let wake = scheduler.nextWake, wake <= time { portions.append(advance()) }
        return portions
    }

    /// The attempts that the last entry began, as successes.
    var finishes: [Command] {
        events.compactMap { event in
            guard case .assigned(let assignment) = event else { return nil }
            return .finish(
                Finish(
                    task: assignment.task, attempt: assignment.attempt, fence: assignment.fence,
                    result: .succeeded([0x31])))
        }
    }

    /// The tasks that the last entry made.
    var created: [TaskID] {
        events.compactMap { event in
            guard case .outcome(_, _, _, .task(let id, _)) = event else { return nil }
            return id
        }
    }

    mutating func register(_ id: String, slots: UInt32, handlers: [String]) {
        apply([
            .registerWorker(
                WorkerSpec(id: id, incarnation: 1, slots: slots, handlers: handlers, tags: []))
        ])
    }

    /// So many tasks, five hundred in an entry; how long each entry took.
    @discardableResult
    mutating func submit(_ count: Int, _ make: (Int) -> TaskSpec) -> [UInt64] {
        var portions: [UInt64] = []
        for begin in stride(from: 0, to: count, by: 500) {
            time += 1
            let specs = (begin..<min(count, begin + 500)).map { Command.submit(make($0)) }
            portions.append(apply(specs))
        }
        return portions
    }

    /// Processor time of this thread: what the machine does meanwhile does not count, but for what it takes out of
    /// the processor's caches.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static let payload = Array(("\"" + String(repeating: "x", count: 254) + "\"").utf8)

    static func task(_ handler: String = "echo") -> TaskSpec {
        var spec = TaskSpec(handler: handler)
        spec.payload = payload
        return spec
    }
}
