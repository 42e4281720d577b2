import Scheduler

/// Attempts that the program around this worker runs by code of its own.
extension LocalWorker {
    func startEmbedded(_ handler: EmbeddedHandler, _ job: Job) {
        guard let run = members(of: job).first else { return }
        do throws(IOError) {
            let words = try lazyWords()
            lastEmbedded += 1
            let attempt = EmbeddedAttempt(run.assignment, number: lastEmbedded, words: words)
            embedded[lastEmbedded] = job
            job.hasBegun = true
            job.work = .embedded(attempt)
            handler.run(attempt)
        } catch {
            complete(run, .failure(.error, "can't run: \(error.description)"))
        }
    }

    func heard(_ word: EmbeddedAttempt.Word) {
        switch word {
        case .progress(let number, let progress):
            guard let job = embedded[number], let run = members(of: job).first else { return }
            onProgress(run.assignment, progress)
        case .log(let number, let bytes):
            guard let job = embedded[number], let run = members(of: job).first else { return }
            onLog(run.assignment, bytes[...])
        case .ended(let number, let result):
            guard let job = embedded.removeValue(forKey: number) else { return }
            job.work = .waiting
            complete(job) { _ in result }
        }
    }
}

/// Code of the program around a worker. It is called on the loop, returns at once, and lets the attempt end in its time.
final class EmbeddedHandler: Equatable, Sendable {
    let run: @Sendable (EmbeddedAttempt) -> Void

    init(run: @escaping @Sendable (EmbeddedAttempt) -> Void) { self.run = run }

    static func == (left: EmbeddedHandler, right: EmbeddedHandler) -> Bool { left === right }
}
