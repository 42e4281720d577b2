/// The nodes that are measured, as one of them names them.
struct BenchCluster {
    struct Member: Equatable {
        let id: String
        let api: Endpoint
        let isLeader: Bool
    }

    /// Which nodes the load goes to.
    enum Direction: String, CaseIterable {
        /// Those of `--server`.
        case servers
        case leader, followers, all
    }

    let leader: String
    /// Those with a vote, whose addresses are known.
    let members: [Member]

    static func read(_ client: ClusterClient) throws(CommandFailure) -> BenchCluster {
        try BenchCluster(client.json(.get("/v1/cluster")))
    }

    init(_ view: JSONValue) throws(CommandFailure) {
        guard let leader = view["leader"]?.string else {
            throw .failed("the cluster has no leader")
        }
        self.leader = leader
        var members: [Member] = []
        for member in view["members"]?.elements ?? [] where member["role"]?.string != "learner" {
            guard let id = member["id"]?.string, let text = member["api"]?.string,
                let api = try? Endpoint(text)
            else { continue }
            members.append(Member(id: id, api: api, isLeader: id == leader))
        }
        self.members = members
    }

    func endpoints(_ direction: Direction, servers: [Endpoint]) throws(CommandFailure) -> [Endpoint]
    {
        let found =
            switch direction {
            case .servers: servers
            case .all: members.map(\.api)
            case .leader: members.filter(\.isLeader).map(\.api)
            case .followers: members.filter { !$0.isLeader }.map(\.api)
            }
        guard !found.isEmpty else {
            throw .failed("--to \(direction.rawValue): the cluster names no address of such a node")
        }
        return found
    }

    /// One address each.
    static func addresses(_ endpoints: [Endpoint]) throws(CommandFailure) -> [SocketAddress] {
        var result: [SocketAddress] = []
        for endpoint in endpoints {
            do throws(IOError) {
                guard let address = try endpoint.resolve().first else { continue }
                result.append(address)
            } catch {
                throw .failed("http://\(endpoint): \(error.reason)")
            }
        }
        return result
    }
}
