import Raft

/// What a measurement hears of tasks and schedules while it goes on.
final class EventWatch {
    struct Hearing {
        /// Of a task: its number and when it was heard of.
        var onStart: (UInt64, Nanoseconds) -> Void = { _, _ in }
        /// The state, if it is no success.
        var onEnd: (UInt64, Nanoseconds, String?) -> Void = { _, _, _ in }
        /// An occurrence, and its task.
        var onFiring: (UInt64, _ nominalMilliseconds: Int64) -> Void = { _, _ in }
        /// So many occurrences passed without a task.
        var onPassing: (UInt64) -> Void = { _ in }
        /// The node had more to tell than it holds.
        var onGap: () -> Void = {}
    }

    static let ends = ["task.succeeded", "task.dead", "task.cancelled", "task.expired"]
    static let start = "task.running"
    static let schedules = "schedule"

    private var tail: EventTail?
    private let hearing: Hearing
    /// Why nothing more is heard.
    private(set) var loss: String?
    private let onLoss: () -> Void

    /// - Parameters:
    ///   - types: of the events that are wanted.
    ///   - onBegin: it hears of everything that happens from now on.
    ///   - onLoss: it hears of nothing more; `loss` says why.
    init(
        _ session: BenchSession, loop: Loop, types: [String], hearing: Hearing,
        onBegin: @escaping () -> Void, onLoss: @escaping () -> Void
    ) {
        self.hearing = hearing
        self.onLoss = onLoss
        let target = "/v1/events" + PercentEncoding.query(types.map { ("type", $0) })
        tail = EventTail(
            loop: loop, target: session.targets[0], request: session.head.get(target),
            onBegin: onBegin, onEvent: { [unowned self] in heard($0) },
            onLoss: { [unowned self] in
                loss = $0
                self.onLoss()
            })
    }

    func close() {
        tail?.close()
        tail = nil
    }

    private func heard(_ event: Span<UInt8>) {
        guard let range = EventLine.text(of: "type", in: event) else { return }
        let type = event.extracting(range)
        let now = Loop.clock()
        if type.equals("task.succeeded") {
            if let task = EventLine.task(event) { hearing.onEnd(task, now, nil) }
        } else if type.equals("task.running") {
            if let task = EventLine.task(event) { hearing.onStart(task, now) }
        } else if type.equals("schedule.fired") {
            guard let task = EventLine.task(event),
                let nominal = EventLine.text(of: "nominal", in: event),
                let instant = try? Timestamp.parse(event.extracting(nominal).text())
            else { return }
            hearing.onFiring(task, instant)
        } else if type.equals("gap") {
            hearing.onGap()
        } else if type.text().hasPrefix("task.") {
            guard let task = EventLine.task(event) else { return }
            hearing.onEnd(task, now, String(type.text().dropFirst("task.".count)))
        } else if type.text().hasPrefix("schedule.") {
            let document = try? JSONDocument(event.array())
            hearing.onPassing(UInt64(max(0, document?.root["count"]?.integer ?? 0)))
        }
    }
}
