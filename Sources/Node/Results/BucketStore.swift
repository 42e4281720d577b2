import Raft
import Scheduler

/// Results and logs in an S3-compatible bucket, which every node reaches. Objects are addressed as
/// `endpoint/bucket/prefix + name`.
///
/// A request that found nobody, or a server with a trouble of its own, is sent again a few times, and signed anew. Writing is
/// repeatable, because a name always has the same content.
final class BucketStore: ResultStore {
    private struct Prepared: Sendable {
        let request: OutgoingRequest
        let checksum: [UInt8]
    }

    let node = ""
    private let bucket: BucketSettings
    private let loop: Loop
    private let client: HTTPClient
    private let signing: BackgroundThread<Prepared>
    private let checking: BackgroundThread<Bool>

    init(_ bucket: BucketSettings, loop: Loop) throws(IOError) {
        self.bucket = bucket
        self.loop = loop
        client = try HTTPClient(loop: loop)
        signing = try BackgroundThread(loop: loop, name: "carillon-sign")
        checking = try BackgroundThread(loop: loop, name: "carillon-check")
    }

    private func key(_ name: StoredName) -> String { bucket.prefix + name.description }

    // MARK: What is asked

    func put(
        _ name: StoredName, _ bytes: [UInt8], isDurable: Bool,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void
    ) {
        send(BucketRequest(method: "PUT", key: key(name), body: bytes)) { outcome in
            then(outcome.map(\.checksum))
        }
    }

    func get(
        _ name: StoredName, checksum: [UInt8]?,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void
    ) {
        send(BucketRequest(method: "GET", key: key(name))) { [self] outcome in
            guard case .success(let answer) = outcome, let checksum else {
                return then(outcome.map(\.body))
            }
            checking.run {
                SHA256.hash(answer.body) == checksum
            } then: { isWhole in
                then(
                    isWhole
                        ? .success(answer.body)
                        : .failure(.damaged("the object is not what was written there")))
            }
        }
    }

    func list(then: @escaping (Result<[StoredFile], StoreFailure>) -> Void) {
        list([], continuation: nil, then: then)
    }

    private func list(
        _ known: [StoredFile], continuation: String?,
        then: @escaping (Result<[StoredFile], StoreFailure>) -> Void
    ) {
        var query = [(name: "list-type", value: "2"), (name: "prefix", value: bucket.prefix)]
        if let continuation { query.append((name: "continuation-token", value: continuation)) }
        send(BucketRequest(method: "GET", key: "", query: query)) { [self] outcome in
            switch outcome {
            case .failure(let failure): then(.failure(failure))
            case .success(let answer):
                guard let page = BucketListing(answer.body, prefix: bucket.prefix) else {
                    return then(.failure(.failed("the bucket's list can't be read")))
                }
                let files = known + page.files
                guard let next = page.continuation, files.count < ResultLimits.maxBucketListFiles
                else { return then(.success(files)) }
                list(files, continuation: next, then: then)
            }
        }
    }

    func remove(_ names: [StoredName], then: @escaping (StoreFailure?) -> Void) {
        remove(names[...], then: then)
    }

    private func remove(_ names: ArraySlice<StoredName>, then: @escaping (StoreFailure?) -> Void) {
        guard let name = names.first else { return then(nil) }
        send(BucketRequest(method: "DELETE", key: key(name))) { [self] outcome in
            if case .failure(let failure) = outcome, failure != .missing { return then(failure) }
            remove(names.dropFirst(), then: then)
        }
    }

    // MARK: Requests

    private struct Answer {
        let body: [UInt8]
        /// Of what was sent.
        let checksum: [UInt8]
    }

    /// One request on its way; whatever comes first ends it.
    private final class Exchange {
        var number: Int?
        var timer: TimerID?
        var isOpen = true
    }

    private func send(
        _ request: BucketRequest, tries: Int = 1,
        then: @escaping (Result<Answer, StoreFailure>) -> Void
    ) {
        let bucket = bucket
        signing.run {
            let signed = request.signed(for: bucket, at: SystemClock.wallMilliseconds())
            return Prepared(request: signed.request, checksum: signed.checksum)
        } then: { [self] prepared in
            exchange(prepared) { [self] reply in
                let outcome = Self.outcome(reply, prepared)
                guard case .failure(.failed) = outcome, Self.mayRepeat(reply),
                    tries < ResultLimits.maxBucketTries
                else { return then(outcome) }
                let pause = ResultLimits.bucketRetryNanoseconds << UInt64(tries)
                loop.schedule(at: loop.now + pause) { [self] in
                    send(request, tries: tries + 1, then: then)
                }
            }
        }
    }

    private func exchange(_ prepared: Prepared, then: @escaping (OutgoingReply) -> Void) {
        let exchange = Exchange()
        exchange.number = client.send(prepared.request) { [loop] reply in
            guard exchange.isOpen else { return }
            exchange.isOpen = false
            if let timer = exchange.timer { loop.cancel(timer) }
            then(reply)
        }
        guard let number = exchange.number else {
            return then(
                .failed(reason: "\"\(prepared.request.url)\" is not a URL", isRetryable: false))
        }
        let deadline = loop.now + ResultLimits.bucketRequestNanoseconds
        exchange.timer = loop.schedule(at: deadline) { [client] in
            guard exchange.isOpen else { return }
            exchange.isOpen = false
            client.cancel(number)
            then(.failed(reason: "the bucket did not answer in time", isRetryable: true))
        }
    }

    private static func mayRepeat(_ reply: OutgoingReply) -> Bool {
        switch reply {
        case .failed(_, let isRetryable): isRetryable
        case .response(let status, _, _, _): status == 429 || status >= 500
        }
    }

    private static func outcome(
        _ reply: OutgoingReply, _ prepared: Prepared
    ) -> Result<Answer, StoreFailure> {
        switch reply {
        case .failed(let reason, _): return .failure(.failed(reason))
        case .response(404, _, let body, _) where !isAboutBucket(body): return .failure(.missing)
        case .response(200...299, _, let body, let isCutOff):
            guard !isCutOff else { return .failure(.damaged("the object is longer than may be")) }
            return .success(Answer(body: body, checksum: prepared.checksum))
        case .response(let status, _, let body, _):
            let quoted = String(
                decoding: body.prefix(WorkerLimits.maxQuotedBodyBytes), as: UTF8.self)
            return .failure(.failed("the bucket answered \(status): \(quoted)"))
        }
    }

    private static func isAboutBucket(_ body: [UInt8]) -> Bool {
        String(decoding: body, as: UTF8.self).contains("NoSuchBucket")
    }
}
