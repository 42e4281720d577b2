import Scheduler
import Synchronization

/// An attempt that a program runs by code of its own, as that code sees it: from any thread. It ends once; what is said of it
/// afterwards is not heard.
package final class EmbeddedAttempt: Sendable {
    /// What the code says, for the loop.
    enum Word: Sendable {
        case progress(number: UInt64, AttemptProgress)
        case log(number: UInt64, [UInt8])
        case ended(number: UInt64, AttemptResult)
    }

    private enum Phase {
        case running(onStop: [@Sendable () -> Void])
        case stopped
        case ended
    }

    package let task: String
    package let attempt: UInt32
    package let fence: UInt64
    package let handler: String
    /// JSON, byte for byte as it was submitted.
    package let payload: [UInt8]
    /// When the task was due, in milliseconds since 1970.
    package let scheduledAt: Int64
    /// The occurrence, `name@time`, if a schedule made the task.
    package let occurrence: String?

    private let number: UInt64
    private let words: Mailbox<Word>
    private let phase = Mutex(Phase.running(onStop: []))

    init(_ assignment: Assignment, number: UInt64, words: Mailbox<Word>) {
        task = assignment.task.description
        attempt = assignment.attempt
        fence = assignment.fence
        handler = assignment.handler
        payload = assignment.payload
        scheduledAt = assignment.scheduledAt
        occurrence = assignment.occurrence
        self.number = number
        self.words = words
    }

    /// nil: as it was said before.
    package func report(percent: Int?, note: String?) {
        guard isRunning else { return }
        let progress = AttemptProgress(
            percent: percent.map { min(max($0, 0), 100) },
            note: note?.prefixOfBytes(Limits.maxProgressNoteBytes))
        words.post(.progress(number: number, progress))
    }

    /// A line of the attempt's log.
    package func log(_ line: String) {
        guard isRunning else { return }
        words.post(.log(number: number, Array(line.utf8) + [UInt8(ascii: "\n")]))
    }

    /// Somebody else is to run it; the attempt was none.
    package func giveBack() { end(.returned) }

    package func succeed(json: [UInt8]) {
        end(
            JSONDocument.isValid(json)
                ? .success(json: json)
                : .failure(.error, "the result is not JSON", isRetryable: false))
    }

    /// `kind` is what `retry.kinds` of a task can name.
    package func fail(
        _ message: String, kind: String, isRetryable: Bool, retryAfterMilliseconds: Int64?
    ) {
        let delay = retryAfterMilliseconds.map { min(max($0, 0), Limits.maxDelayMilliseconds) }
        end(
            .failed(
                AttemptResult.Failure(
                    message: message.prefixOfBytes(WorkerLimits.maxErrorMessageBytes),
                    kind: NameRule.isPlain(kind) && !kind.isEmpty
                        ? kind.prefixOfBytes(Limits.maxNameBytes) : FailureKind.error.rawValue,
                    isRetryable: isRetryable, retryAfterMilliseconds: delay)))
    }

    /// Nobody wants what it comes to any more, or its time is over: the code is to end soon. `body` is called once, at once if
    /// that has happened already, and not at all when the attempt ends before.
    package func onStop(_ body: @escaping @Sendable () -> Void) {
        let isStopped = phase.withLock { phase in
            switch phase {
            case .running(let bodies):
                phase = .running(onStop: bodies + [body])
                return false
            case .stopped: return true
            case .ended: return false
            }
        }
        if isStopped { body() }
    }

    func stop() {
        let bodies = phase.withLock { phase -> [@Sendable () -> Void] in
            guard case .running(let bodies) = phase else { return [] }
            phase = .stopped
            return bodies
        }
        for body in bodies { body() }
    }

    private var isRunning: Bool {
        phase.withLock { phase in
            if case .running = phase { true } else { false }
        }
    }

    private func end(_ result: AttemptResult) {
        let isFirst = phase.withLock { phase in
            if case .ended = phase { return false }
            phase = .ended
            return true
        }
        if isFirst { words.post(.ended(number: number, result)) }
    }
}
