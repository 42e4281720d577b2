import Node
import Raft
import Scheduler

/// In some runs tasks are to be on record before they go. Somebody makes tasks that expire at once and brings some of them
/// back; and nodes, mostly the leader, write down which of them are due, and say so, at times late and through another node.
/// By a random source of its own, so that all others stay as they are.
extension Simulation {
    func historyActs() {
        guard phase != .done, let every = archive.every else { return }
        after(1 + archive.random.below(2 * every), .acts(.history))
        let up = nodes.filter(\.isUp)
        guard !up.isEmpty, clients.openCount < Self.maxOpenOperations else { return }
        let node = archive.random.pick(up)
        let command: Command
        switch archive.random.index(10) {
        case 0..<4 where phase == .chaos: command = .submit(archive.draw())
        case 4 where phase == .chaos:
            guard let task = oracle.history.firstEnded else { return }
            command = .retry(task)
        default:
            guard let drop = drop() else { return }
            command = drop
        }
        let token = ask(.change(command), of: node)
        after(5_000_000_000, .clientDeadline(token))
    }

    /// What was written down some time ago, or just now. Some of it is forgotten: whoever wrote it died.
    private func drop() -> Command? {
        let writers = nodes.filter { $0.isUp && $0.replica?.raft.role == .leader }
        let node = archive.random.pick(
            writers.isEmpty || archive.random.chance(permille: 200) ? nodes : writers)
        if let replica = node.replica {
            let time = replica.clusterTime(at: node.clockModel.clock(at: now))
            let due = replica.scheduler.departures(at: time, limit: 1_000, maxBytes: .max)
                .filter(HistoryBooks.isOurs)
            oracle.history.write(due)
            archive.written.append(due.compactMap { Departure($0) })
        }
        guard !archive.written.isEmpty else { return nil }
        let place = archive.random.index(archive.written.count)
        let chosen = archive.written.remove(at: place)
        if archive.written.count > Archive.maxHeld { archive.written.removeFirst() }
        if archive.random.chance(permille: 300) {
            archive.written.append(chosen)
            return nil
        }
        return chosen.isEmpty ? nil : .dropExported(chosen)
    }

    /// nil: nothing is left that shall go.
    func missingForHistory() -> String? {
        guard archive.every != nil else { return nil }
        return oracle.history.ids.first.map { "\($0) is not on record" }
    }
}

struct Archive {
    static let maxHeld = 5

    var random: RandomSource
    /// Mean time between two acts; nil: there are none.
    let every: Nanoseconds?
    /// What is on record, and nobody has said so.
    var written: [[Departure]] = []
    private var tasks = 0

    init(random: RandomSource) {
        self.random = random
        every =
            self.random.chance(permille: 300)
            ? self.random.pick([30_000_000, 200_000_000, 600_000_000]) : nil
    }

    /// Nobody can run it.
    mutating func draw() -> TaskSpec {
        tasks += 1
        var spec = TaskSpec(handler: "archived")
        spec.payload = HistoryBooks.payload(tasks)
        spec.expiresMilliseconds = Milliseconds(random.pick([1, 100, 1_000]))
        spec.queue = "archive"
        return spec
    }
}

extension Scenario {
    mutating func drawHistory(_ archive: inout Archive) {
        guard archive.every != nil else { return }
        settings.retention.isExported = true
        settings.retention.expiredMilliseconds = Milliseconds(archive.random.pick([0, 2_000]))
        if archive.random.chance(permille: 300) { settings.retention.maxFinished = 3 }
    }
}
