/// What an attached worker says to the cluster, on its loop. Heartbeats have a thread of their own, and questions for
/// assignments, which wait long; neither waits for the other, nor for reports.
final class ClusterChannels {
    enum Lane {
        case beats, polls, reports
    }

    /// What came of a request.
    enum Answer {
        case accepted([UInt8])
        /// A node said no. `kind` is the last word of the problem's type.
        case refused(kind: String, text: String)
        /// No node answered, or none could say anything just now: to be asked again.
        case nobody(String)
    }

    private static let reportThreads = 4

    private let beats: ClusterChannel
    private let polls: ClusterChannel
    private let reports: [ClusterChannel]
    private var waiting: [UInt64: (Answer) -> Void] = [:]
    private var lastNumber: UInt64 = 0

    init(loop: Loop, servers: [Endpoint], token: String?) throws(IOError) {
        let mailbox = try Mailbox<ClusterChannel.Reply>()
        func channel() throws(IOError) -> ClusterChannel {
            try ClusterChannel(servers: servers, token: token, mailbox: mailbox)
        }
        beats = try channel()
        polls = try channel()
        var reports: [ClusterChannel] = []
        for _ in 0..<Self.reportThreads { reports.append(try channel()) }
        self.reports = reports
        try loop.attach(mailbox) { [weak self] reply in
            self?.waiting.removeValue(forKey: reply.number)?(Self.answer(reply.result))
        }
    }

    /// `then` is called once, in a later turn of the loop.
    func send(_ request: ClientRequest, by lane: Lane, then: @escaping (Answer) -> Void) {
        lastNumber += 1
        waiting[lastNumber] = then
        let channel =
            switch lane {
            case .beats: beats
            case .polls: polls
            case .reports: reports[Int(lastNumber % UInt64(reports.count))]
            }
        channel.send(request, number: lastNumber)
    }

    private static func answer(_ result: Result<ClientResponse, CommandFailure>) -> Answer {
        switch result {
        case .failure(let failure): return .nobody(failure.message)
        case .success(let response) where response.isSuccess: return .accepted(response.body)
        case .success(let response):
            let text = ProblemText.text(response)
            guard response.status != 429, response.status < 500 else { return .nobody(text) }
            let kind = (try? JSONDocument(response.body).root).flatMap(ProblemText.kind)
            return .refused(kind: kind ?? "", text: text)
        }
    }
}
