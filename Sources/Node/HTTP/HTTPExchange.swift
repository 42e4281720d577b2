/// One request of a connection and what is known of its answer. Answers leave in the order of the
/// requests; one that is ready early waits here.
struct HTTPExchange {
    enum Answer {
        case awaited
        case ready(HTTPResponse)
        /// Begun and not ended, or waiting for its turn. `bytes` are what could not leave yet, with their
        /// framing; once the exchange is first in line, bytes go to the connection directly.
        case stream(bytes: [UInt8], isEnded: Bool)
    }

    var answer = Answer.awaited
    let isHead: Bool
    let isVersion10: Bool
    /// The connection closes after this answer.
    var closes: Bool
    /// The client may still be sending: see `Connection.finish`.
    var lingers = false
    /// Tells the handler that the client went away.
    var onClose: (() -> Void)?
}
