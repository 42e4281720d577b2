import Scheduler

/// What has happened: one of all types that the API tells of. They are numbered, so that looking whether a client wants an
/// event takes no text: several hundred thousand are looked at in a second, for each client.
struct EventType: Equatable {
    fileprivate let number: Int

    private init(_ number: Int) {
        self.number = number
    }

    /// As it stands in the API.
    var name: String { Self.names[number] }

    fileprivate static let names: [String] = {
        var names = TaskState.allCases.map { "task.\($0.name)" }
        names.append("schedule.fired")
        names += OccurrenceState.allCases.map { "schedule.\($0.name)" }
        names.append("queue.changed")
        names += WorkerView.State.allCases.map { "worker.\($0.name)" }
        names.append("worker.forgotten")
        return names
    }()

    private static let scheduleFired = TaskState.allCases.count
    private static let queueChanged = scheduleFired + 1 + OccurrenceState.allCases.count
    private static let workerForgotten = queueChanged + 1 + WorkerView.State.allCases.count

    init(of what: EventFeed.What) {
        switch what {
        case .task(_, let state, _): self.init(Int(state.rawValue))
        case .scheduleFired: self.init(Self.scheduleFired)
        case .occurrencesPassed(_, _, _, let end, _):
            self.init(Self.scheduleFired + 1 + Int(end.rawValue))
        case .queue: self.init(Self.queueChanged)
        case .worker(_, let state?): self.init(Self.queueChanged + 1 + Int(state.rawValue))
        case .worker(_, nil): self.init(Self.workerForgotten)
        }
    }
}

/// Some of all types.
struct EventTypes: Equatable {
    private let bits: UInt64

    static let all = EventTypes(bits: .max)

    private init(bits: UInt64) {
        self.bits = bits
    }

    /// - Parameter names: whole types such as `task.dead`, or their first words.
    init(named names: [String]) {
        var bits: UInt64 = 0
        for (number, type) in EventType.names.enumerated()
        where names.contains(where: { type == $0 || type.hasPrefix("\($0).") }) {
            bits |= 1 << UInt64(number)
        }
        self.bits = bits
    }

    func contains(_ type: EventType) -> Bool { bits >> UInt64(type.number) & 1 == 1 }
}
