import Scheduler

/// Requests to servers: one for each job.
extension LocalWorker {
    func startRequest(_ handler: HTTPHandler, _ job: Job) {
        let assignments = members(of: job).map(\.assignment)
        do {
            let request =
                try job.batch == nil
                ? OutgoingRequest(handler, for: assignments[0])
                : OutgoingRequest(handler, forBatch: assignments)
            send(request, for: job) { [unowned self] reply in
                if job.batch == nil {
                    let now = SystemClock.wallMilliseconds()
                    settle(job, bytes: reply.bodyBytes) { reply.result(now: now) }
                } else {
                    answered(job, reply)
                }
            }
        } catch {
            complete(job) { _ in .failure(.payload, error.description, isRetryable: false) }
        }
    }

    private func answered(_ job: Job, _ reply: OutgoingReply) {
        guard case .response(200...299, _, let body, let isCutOff) = reply else {
            let result = reply.result(now: SystemClock.wallMilliseconds())
            return complete(job) { _ in result }
        }
        let answers = BatchLines.answers(body)
        complete(job) { answers[$0.task] ?? Self.unanswered(isCutOff: isCutOff) }
    }

    func startWebhook(_ handler: WebhookHandler, _ job: Job) {
        let assignments = members(of: job).map(\.assignment)
        do {
            let request = try OutgoingRequest(
                handler, for: assignments[0], now: SystemClock.wallMilliseconds(),
                describe: describe)
            send(request, for: job) { [unowned self] reply in
                let result = reply.acknowledgement(now: SystemClock.wallMilliseconds())
                complete(job) { _ in result }
            }
        } catch {
            complete(job) { _ in .failure(.payload, error.description, isRetryable: false) }
        }
    }

    private func send(
        _ request: OutgoingRequest, for job: Job, onReply: @escaping (OutgoingReply) -> Void
    ) {
        do {
            guard let number = try lazyClient().send(request, onReply: onReply) else {
                let message = "\"\(request.url)\" is not a URL"
                return complete(job) { _ in .failure(.payload, message, isRetryable: false) }
            }
            job.hasBegun = true
            job.work = .request(number)
        } catch {
            complete(job) { _ in .failure(.error, "can't send: \(error.description)") }
        }
    }
}
