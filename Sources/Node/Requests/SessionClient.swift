import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends requests for the loop by `URLSession`, whose threads answer through a mailbox: those that need TLS, or go through a
/// proxy. It follows redirections itself.
final class SessionClient {
    private struct Exchange {
        let task: URLSessionDataTask
        let onReply: (OutgoingReply) -> Void
    }

    private let loop: Loop
    private let session: URLSession
    private let delegate: HTTPSessionDelegate
    /// By task identifier.
    private var exchanges: [Int: Exchange] = [:]
    private var registration: Registration?

    init(loop: Loop) throws(IOError) {
        let mailbox = try Mailbox<HTTPCompletion>()
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = WorkerLimits.maxConnectionsPerHost
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.urlCache = nil
        // The worker's own timer ends requests, by one rule for all kinds of handlers.
        configuration.timeoutIntervalForRequest = 366 * 86_400
        configuration.timeoutIntervalForResource = 366 * 86_400
        self.loop = loop
        delegate = HTTPSessionDelegate(mailbox: mailbox)
        session = URLSession(
            configuration: configuration, delegate: delegate, delegateQueue: nil)
        // Weak: who is told of one reply may let go of all, while others wait in the mailbox.
        registration = try loop.attach(mailbox) { [weak self] completion in
            // Nobody waits for a request that was cancelled.
            self?.exchanges.removeValue(forKey: completion.task)?.onReply(completion.reply)
        }
    }

    deinit {
        if let registration { loop.deregister(registration) }
        session.invalidateAndCancel()
    }

    /// Sends a request and returns its number; nil if its URL is none. `onReply` is called on the loop,
    /// once, unless the request is cancelled before.
    func send(
        _ request: OutgoingRequest, onReply: @escaping (OutgoingReply) -> Void
    ) -> Int? {
        guard let url = Self.url(request.url) else { return nil }
        var native = URLRequest(url: url)
        native.httpMethod = request.method
        native.timeoutInterval = 366 * 86_400
        for header in request.headers {
            native.setValue(header.value, forHTTPHeaderField: header.name)
        }
        if let body = request.body { native.httpBody = Data(body) }
        let task = session.dataTask(with: native)
        exchanges[task.taskIdentifier] = Exchange(task: task, onReply: onReply)
        delegate.expect(task.taskIdentifier, maxBytes: request.maxReplyBytes)
        task.resume()
        return task.taskIdentifier
    }

    /// nil: it is none, or names no host.
    static func url(_ text: String) -> URL? {
        guard let url = URL(string: text), url.host?.isEmpty == false else { return nil }
        return url
    }

    func cancel(_ number: Int) {
        exchanges.removeValue(forKey: number)?.task.cancel()
    }
}

struct HTTPCompletion: Sendable {
    let task: Int
    let reply: OutgoingReply
}

/// Gathers responses on the session's threads, no more of each than a result may have.
private final class HTTPSessionDelegate: NSObject, URLSessionDataDelegate {
    private struct Response {
        var status = 0
        var retryAfter: String?
        var body: [UInt8] = []
        var isCutOff = false
        var maxBytes = WorkerLimits.maxResultBytes
    }

    private let mailbox: Mailbox<HTTPCompletion>
    private let responses = Mutex<[Int: Response]>([:])

    init(mailbox: Mailbox<HTTPCompletion>) {
        self.mailbox = mailbox
    }

    /// The request is about to be sent.
    func expect(_ number: Int, maxBytes: Int) {
        responses.withLock { $0[number] = Response(maxBytes: maxBytes) }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        let http = response as? HTTPURLResponse
        let status = http?.statusCode ?? 0
        let retryAfter = http?.value(forHTTPHeaderField: "Retry-After")
        responses.withLock {
            $0[dataTask.taskIdentifier]?.status = status
            $0[dataTask.taskIdentifier]?.retryAfter = retryAfter
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let number = dataTask.taskIdentifier
        let isFull = responses.withLock { responses in
            guard var response = responses.removeValue(forKey: number) else { return false }
            let room = response.maxBytes + 1 - response.body.count
            response.body.append(contentsOf: data.prefix(room))
            response.isCutOff = data.count > room
            responses[number] = response
            return response.isCutOff
        }
        if isFull { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        let number = task.taskIdentifier
        let response = responses.withLock { $0.removeValue(forKey: number) }
        mailbox.post(HTTPCompletion(task: number, reply: Self.reply(response, error)))
    }

    private static func reply(_ response: Response?, _ error: (any Error)?) -> OutgoingReply {
        if let response, response.status > 0, error == nil || response.isCutOff {
            return .response(
                status: response.status, retryAfter: response.retryAfter, body: response.body,
                isCutOff: response.isCutOff)
        }
        guard let error = error as? URLError else {
            return .failed(
                reason: "the request failed: \(error.map { "\($0)" } ?? "no response")",
                isRetryable: true)
        }
        return .failed(
            reason: "\(words(for: error.code)) (URL error \(error.code.rawValue))",
            isRetryable: error.code != .unsupportedURL && error.code != .badURL)
    }

    private static func words(for code: URLError.Code) -> String {
        switch code {
        case .cannotConnectToHost: return "could not connect to the server"
        case .cannotFindHost, .dnsLookupFailed: return "the server's name does not resolve"
        case .networkConnectionLost: return "the connection broke off"
        case .timedOut: return "the connection timed out"
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
            return "no secure connection with the server"
        case .httpTooManyRedirects: return "the server redirects without end"
        case .badURL, .unsupportedURL: return "the URL can't be requested"
        case .badServerResponse, .cannotParseResponse, .zeroByteResource:
            return "the server's answer is not HTTP"
        default: return "the request failed"
        }
    }
}
