/// Whoever has to look through the tasks does so in portions, which take turns here: all of them together hold the loop no
/// longer than one portion would alone, however many ask at once.
final class ScanQueue {
    /// Does some work within the budget (units of `Scheduler.list`).
    typealias Portion = (_ budget: Int) -> Step

    struct Step {
        var spent: Int
        var isDone: Bool
    }

    private let later: (@escaping () -> Void) -> Void
    private var waiting: [Portion] = []
    /// Of this turn of the loop.
    private var budget = 0
    /// The next turn has begun here when that comes.
    private var isNextTurnAwaited = false

    init(later: @escaping (@escaping () -> Void) -> Void) {
        self.later = later
    }

    /// Calls the portion, at once if this turn's budget allows, until it says that it is done.
    func add(_ portion: @escaping Portion) {
        waiting.append(portion)
        if !isNextTurnAwaited { begin() }
        run()
    }

    private func begin() {
        budget = APILimits.maxScanPerTurn
        isNextTurnAwaited = true
        later { [weak self] in
            guard let self else { return }
            isNextTurnAwaited = false
            guard !waiting.isEmpty else { return }
            begin()
            run()
        }
    }

    private func run() {
        while budget > 0, !waiting.isEmpty {
            let portion = waiting.removeFirst()
            let step = portion(budget)
            // Nobody goes on for ever within one turn.
            budget -= max(1, step.spent)
            if !step.isDone { waiting.append(portion) }
        }
    }
}
