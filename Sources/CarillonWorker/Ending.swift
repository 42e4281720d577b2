internal import Node
import Synchronization

/// The end of a worker: comes once, and is waited for once, whoever is cancelled meanwhile.
final class Ending: Sendable {
    private enum State {
        case pending
        case awaited(CheckedContinuation<EmbeddedWorker.Failure?, Never>)
        case over(EmbeddedWorker.Failure?)
    }

    private let state = Mutex(State.pending)

    func set(_ failure: EmbeddedWorker.Failure?) {
        let waiting = state.withLock { state in
            defer { state = .over(failure) }
            guard case .awaited(let waiting) = state else {
                return CheckedContinuation<EmbeddedWorker.Failure?, Never>?.none
            }
            return waiting
        }
        waiting?.resume(returning: failure)
    }

    func wait() async -> EmbeddedWorker.Failure? {
        await withCheckedContinuation { continuation in
            let failure: EmbeddedWorker.Failure?? = state.withLock { state in
                if case .over(let failure) = state { return .some(failure) }
                state = .awaited(continuation)
                return nil
            }
            if let failure { continuation.resume(returning: failure) }
        }
    }
}
