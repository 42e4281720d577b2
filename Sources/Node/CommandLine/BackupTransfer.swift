/// Fetches a backup from one node. It goes on where it was when the connection is lost, as long as the node comes
/// back soon and still holds the file.
struct BackupTransfer {
    /// What the node has made ready.
    struct Offer: Equatable {
        var node: String
        var cluster: String
        var snapshot: SnapshotName
        var totalBytes: Int
        var checksum: String
    }

    enum Failure: Error {
        /// What was fetched can't be written.
        case disk(StorageError)
        case node(CommandFailure)
    }

    /// A part that is bad so often is not bad on its way but where it comes from.
    private static let maxBadParts = 3
    /// How long a node may be away.
    static let patienceMilliseconds: Int64 = 15_000
    private static let pauseMilliseconds: Int64 = 250
    private static let path = "/v1/cluster/backup"

    private let client: ClusterClient
    private let patienceMilliseconds: Int64

    /// `client` knows one node only.
    init(client: ClusterClient, patienceMilliseconds: Int64 = Self.patienceMilliseconds) {
        precondition(client.servers.count == 1, "pieces of different nodes make no file")
        self.client = client
        self.patienceMilliseconds = patienceMilliseconds
    }

    /// Why a node has made nothing ready.
    enum Refusal: Error {
        case refused(CommandFailure)
        /// It was there, and then the connection broke: perhaps it ended because it could not write the snapshot.
        case fell(CommandFailure)
    }

    /// Has the node write a snapshot of everything that is acknowledged by now.
    func begin(timeoutMilliseconds: Int64) throws(Refusal) -> Offer {
        var request = ClientRequest.post("\(Self.path)?timeout=\(timeoutMilliseconds)ms")
        request.timeoutMilliseconds = timeoutMilliseconds + 5_000
        let response: ClientResponse
        do throws(ClientError) {
            response = try client.sendOnce(request)
        } catch {
            guard case .broken = error else { throw .refused(.failed(error.reason)) }
            throw .fell(.failed("\(error.reason) while it was writing the snapshot"))
        }
        guard response.isSuccess else { throw .refused(ProblemText.failure(response)) }
        do throws(CommandFailure) {
            return try Self.offer(ClusterClient.json(response))
        } catch {
            throw .refused(error)
        }
    }

    private static func offer(_ reply: JSONValue) throws(CommandFailure) -> Offer {
        guard let node = reply["node"]?.string, let cluster = reply["cluster"]?.string,
            let index = reply["index"]?.integer, let term = reply["term"]?.integer,
            let bytes = reply["bytes"]?.integer, let checksum = reply["checksum"]?.string,
            index >= 0, term >= 0, bytes > SnapshotFormat.footerBytes,
            UInt64(bytes) <= StorageLimits.maxSnapshotBytes
        else { throw .failed("the reply is not understood; is that node's version another one?") }
        return Offer(
            node: node, cluster: cluster,
            snapshot: SnapshotName(index: UInt64(index), term: UInt64(term)),
            totalBytes: Int(bytes), checksum: checksum)
    }

    /// Fetches what is missing. `progress` is told how many bytes are there.
    func fetch(
        _ offer: Offer, into file: inout BackupFile, progress: (Int) -> Void
    ) throws(Failure) {
        var badParts = 0
        while !file.isComplete {
            let bytes: [UInt8]
            do throws(CommandFailure) {
                bytes = try piece(of: offer, at: file.nextOffset)
            } catch {
                throw .node(error)
            }
            let problem: String?
            do throws(StorageError) {
                problem = try file.take(bytes)
            } catch {
                throw .disk(error)
            }
            progress(file.nextOffset)
            guard let problem else { continue }
            badParts += 1
            guard badParts < Self.maxBadParts else {
                throw .node(
                    .failed(
                        "what \(offer.node) sends is damaged at byte \(file.nextOffset): \(problem)"
                    ))
            }
        }
    }

    private func piece(of offer: Offer, at offset: Int) throws(CommandFailure) -> [UInt8] {
        let end = SystemClock.monotonicMilliseconds() + patienceMilliseconds
        let target = "\(Self.path)?\(Self.query(offer))&offset=\(offset)"
        while true {
            var response: ClientResponse?
            var reason: CommandFailure
            do throws(CommandFailure) {
                let received = try client.send(.get(target))
                if received.isSuccess { return received.body }
                reason = ProblemText.failure(received)
                response = received
            } catch {
                reason = error
            }
            // 410 and the like stay as they are; a connection may come back, and a busy node has time again.
            let mayPass = response.map { [429, 503].contains($0.status) } ?? true
            guard mayPass, SystemClock.monotonicMilliseconds() < end else { throw reason }
            Pause.take(milliseconds: Self.pauseMilliseconds)
        }
    }

    /// Tells the node that it need not hold the file any more; without that it lets go of it a little later.
    func end(_ offer: Offer) {
        let request = ClientRequest(
            method: "DELETE", target: "\(Self.path)?\(Self.query(offer))", isRepeatable: false)
        _ = try? client.send(request)
    }

    private static func query(_ offer: Offer) -> String {
        "index=\(offer.snapshot.index)&term=\(offer.snapshot.term)"
    }
}
