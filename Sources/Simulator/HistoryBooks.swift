import Scheduler

/// Checks by books of its own that a task which is to be on record before it goes is there when it goes, as it was last.
struct HistoryBooks {
    private static let mark = Array("{\"history\":".utf8)

    /// Its tasks, as they were after the last entry.
    private var kept: [TaskID: TaskView] = [:]
    /// All that was ever written down of them.
    private var written: [TaskID: [TaskView]] = [:]
    private(set) var dropped = 0

    static func payload(_ number: Int) -> [UInt8] { mark + Array("\(number)}".utf8) }

    static func isOurs(_ view: TaskView) -> Bool { view.spec.payload.starts(with: mark) }

    /// What is still there, in the order of ids.
    var ids: [TaskID] { kept.keys.sorted() }

    var firstEnded: TaskID? { ids.first { kept[$0]?.state.isFinal ?? false } }

    mutating func write(_ views: [TaskView]) {
        for view in views { written[view.id, default: []].append(view) }
    }

    /// Takes in one entry; `state` as it is after it.
    mutating func note(_ events: [Event], _ state: Scheduler) throws(Violation) {
        for event in events {
            guard case .taskChanged(let id, _) = event, let view = state.task(id),
                Self.isOurs(view)
            else { continue }
            kept[id] = view
        }
        for id in ids where state.state(of: id) == nil {
            let last = kept.removeValue(forKey: id)
            dropped += 1
            guard let last, written[id]?.contains(last) ?? false else {
                throw Violation(
                    "a task goes when it is on record as it was last",
                    "\(id) went as \(String(describing: last))")
            }
        }
    }
}
