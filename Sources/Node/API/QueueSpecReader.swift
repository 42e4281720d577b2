import Scheduler

/// A queue as it is put.
struct QueueRequest: Equatable {
    var spec: QueueSpec
    /// nil: as it is.
    var isPaused: Bool?
}

/// Reads a queue from a request's body, or from the configuration.
enum QueueSpecReader {
    /// Stand in what is returned, and say nothing when it is put again.
    private static let returnedFields = [
        "name", "pending", "ready", "held", "running", "nextTokenAt",
    ]
    private static let returnedBreakerFields = ["state", "until"]

    /// nil if anything is wrong; what, stands in the reader's problems. `finish` is left to the caller.
    ///
    /// - Parameter isReturned: It may hold what the cluster adds to a queue that is asked for. In a file that would be a
    ///   mistake, such as `pending` for `maxPending`.
    static func read(_ reader: inout JSONReader, isReturned: Bool = false) -> QueueRequest? {
        let problemCount = reader.problems.count
        if isReturned { for field in returnedFields { _ = reader.value(field) } }
        var spec = QueueSpec()
        spec.concurrency = number("concurrency", 1...Limits.maxQueueConcurrency, &reader)
        spec.priority = TaskSpecReader.priority(&reader)
        spec.maxPending = number("maxPending", 0...UInt32(Limits.maxTasks), &reader)
        spec.rate = rate(&reader)
        reader.object("breaker") { inner in
            if isReturned { for field in returnedBreakerFields { _ = inner.value(field) } }
            spec.breaker = breaker(&inner)
        }
        spec.errorWebhook = TaskSpecReader.webhook("errorWebhook", &reader)
        let isPaused = reader.bool("paused")
        spec.limits = limits(&reader)
        guard reader.problems.count == problemCount else { return nil }
        return QueueRequest(spec: spec, isPaused: isPaused)
    }

    private static func number(
        _ field: String, _ range: ClosedRange<UInt32>, _ reader: inout JSONReader
    ) -> UInt32? {
        reader.integer(field, in: Int64(range.lowerBound)...Int64(range.upperBound))
            .map(UInt32.init)
    }

    private static func rate(_ reader: inout JSONReader) -> RateLimit? {
        let text = reader.string("rate")
        let burst = number("burst", 1...Limits.maxRateCount, &reader)
        guard let text else {
            if burst != nil { reader.problem("burst", "goes with \"rate\"") }
            return nil
        }
        guard let (count, period) = RateText.parse(text) else {
            reader.problem("rate", "\"\(text)\" is not a rate: \(RateText.rule)")
            return nil
        }
        return RateLimit(count: count, perMilliseconds: period, burst: burst)
    }

    private static func limits(_ reader: inout JSONReader) -> [KeyLimit] {
        var limits: [KeyLimit] = []
        reader.objects("limits", maxCount: Limits.maxKeyLimits) { _, reader in
            let key = reader.string("key", required: true)
            let concurrency = number("concurrency", 1...Limits.maxQueueConcurrency, &reader)
            let rate = rate(&reader)
            if !reader.has("concurrency"), !reader.has("rate") {
                reader.problem("\"concurrency\" or \"rate\" is required, or both")
            }
            guard let key else { return }
            if !KeyLimit.isKey(key) {
                reader.problem("key", "expected a path such as payload.customer or meta.tenant")
            } else if limits.contains(where: { $0.key == key }) {
                reader.problem("key", "\"\(key)\" is limited already")
            }
            limits.append(KeyLimit(key: key, concurrency: concurrency, rate: rate))
        }
        return limits
    }

    private static func breaker(_ reader: inout JSONReader) -> BreakerSpec? {
        let times = 1...Limits.maxRateMilliseconds
        let failures = number("failures", 1...Limits.maxBreakerCount, &reader)
        let ratio = ratio(&reader)
        let minimum = number("minimum", 1...Limits.maxBreakerCount, &reader)
        let window = reader.durationMilliseconds("window", in: times)
        guard reader.has("failures") != reader.has("ratio") else {
            reader.problem("either \"failures\" or \"ratio\" is required, and not both")
            return nil
        }
        let trip: BreakerSpec.Trip
        if let failures {
            for field in ["minimum", "window"] where reader.has(field) {
                reader.problem(field, "goes with \"ratio\"")
            }
            trip = .failures(failures)
        } else if let ratio {
            trip = .ratio(
                permille: ratio, minimum: minimum ?? 20, windowMilliseconds: window ?? 60_000)
        } else {
            return nil
        }
        var spec = BreakerSpec(trip: trip)
        if let open = reader.durationMilliseconds("open", in: times) {
            spec.openMilliseconds = open
        }
        if let probes = number("probes", 1...Limits.maxBreakerCount, &reader) {
            spec.probes = probes
        }
        return spec
    }

    /// In thousandths.
    private static func ratio(_ reader: inout JSONReader) -> UInt32? {
        guard let value = reader.value("ratio"), !value.isNull else { return nil }
        guard let number = value.double, number >= 0.001, number <= 1 else {
            reader.problem("ratio", "expected a number from 0.001 to 1")
            return nil
        }
        return UInt32((number * 1_000).rounded())
    }
}
