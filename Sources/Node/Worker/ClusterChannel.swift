/// A thread that carries requests to the cluster, one after the other, each to the first node that answers. The loop
/// asks, and gets what came of it through its mailbox.
final class ClusterChannel: Sendable {
    struct Reply: Sendable {
        let number: UInt64
        let result: Result<ClientResponse, CommandFailure>
    }

    private struct Request: Sendable {
        let number: UInt64
        let request: ClientRequest
    }

    private let requests = BlockingQueue<Request>()

    init(
        servers: [Endpoint], token: String?, mailbox: Mailbox<Reply>
    ) throws(IOError) {
        // Detached: at the end of the process nobody waits for an answer that may be long in coming.
        try SystemThread.detached(name: "cluster") { [requests] in
            let client = ClusterClient(servers: servers, token: token)
            while let next = requests.take() {
                mailbox.post(
                    Reply(number: next.number, result: Self.send(next.request, by: client)))
            }
        }
    }

    deinit { requests.close() }

    func send(_ request: ClientRequest, number: UInt64) {
        requests.put(Request(number: number, request: request))
    }

    private static func send(
        _ request: ClientRequest, by client: ClusterClient
    ) -> Result<ClientResponse, CommandFailure> {
        do throws(CommandFailure) {
            return .success(try client.send(request))
        } catch {
            return .failure(error)
        }
    }
}
