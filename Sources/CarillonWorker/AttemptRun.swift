internal import Node

/// Brings an attempt to its end: by its function, which is cancelled when the attempt is to stop.
struct AttemptRun {
    private let attempt: EmbeddedAttempt
    private let body: Worker.Body

    init(_ attempt: EmbeddedAttempt, _ body: @escaping Worker.Body) {
        self.attempt = attempt
        self.body = body
    }

    func run() async {
        let (stops, stop) = AsyncStream.makeStream(of: Never.self)
        attempt.onStop { stop.finish() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await perform() }
            // Ends when the attempt is to stop, or when the function has ended.
            group.addTask { for await _ in stops {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func perform() async {
        do {
            attempt.succeed(json: try await body(Attempt(attempt), attempt.payload))
        } catch is CancellationError where Task.isCancelled {
            // Of a time-out, the worker knows better.
            attempt.giveBack()
        } catch let failure as TaskFailure {
            attempt.fail(
                failure.message, kind: failure.kind, isRetryable: failure.retry,
                retryAfterMilliseconds: failure.retryAfter.map(Self.milliseconds))
        } catch {
            attempt.fail(
                "\(error)", kind: "error", isRetryable: true, retryAfterMilliseconds: nil)
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000)
        return isTooLong ? .max : product + attoseconds / 1_000_000_000_000_000
    }
}
