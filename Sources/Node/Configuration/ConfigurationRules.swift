import Scheduler

/// What must hold between settings that are well formed each on its own.
struct ConfigurationRules {
    var isInsecure = false
    private(set) var problems: [JSONProblem] = []
    private var nodePlaces: [String: String] = [:]
    private var endpointPlaces: [Endpoint: String] = [:]

    /// A follower must miss several heartbeats, not one, before it stands for election.
    static let minHeartbeatsPerElection: Milliseconds = 3
    /// A leader must be able to fail and be followed before its workers are taken for lost with it.
    static let minElectionsPerWorkerTimeout: Milliseconds = 2

    mutating func checkID(_ text: String, _ noun: String, at place: String) {
        guard !NameRule.isID(text) else { return }
        problem(place, "\"\(text)\" is not \(noun): \(NameRule.id)")
    }

    mutating func checkUnique(nodeID: String, at place: String) {
        if let first = nodePlaces[nodeID] {
            problem(place, "\"\(nodeID)\" is the id at \(first) already")
        } else {
            nodePlaces[nodeID] = place
        }
    }

    mutating func check(_ endpoint: Endpoint, at place: String) {
        if let first = endpointPlaces[endpoint] {
            problem(place, "\(endpoint) is the address at \(first) already")
        } else {
            endpointPlaces[endpoint] = place
        }
        guard !isInsecure, !Self.isLoopback(endpoint) else { return }
        problem(
            place,
            "\(endpoint) can be reached from other machines, and this version has neither TLS nor "
                + "authentication: whoever reaches it can run tasks. Use a loopback address, or say "
                + "\"insecure\": true if the network itself is safe")
    }

    mutating func check(_ timing: ClusterConfiguration.Timing) {
        let heartbeat = timing.heartbeatMilliseconds
        let election = timing.electionMilliseconds
        let workerTimeout = timing.workerTimeoutMilliseconds
        if election < heartbeat * Self.minHeartbeatsPerElection {
            problem(
                "/timing/election",
                "\(DurationText.format(election)) is shorter than three heartbeats of "
                    + "\(DurationText.format(heartbeat)): one lost message would unseat a leader")
        }
        if workerTimeout <= election * Self.minElectionsPerWorkerTimeout {
            problem(
                "/timing/workerTimeout",
                "\(DurationText.format(workerTimeout)) is not longer than two elections of "
                    + "\(DurationText.format(election)): a change of leader would stop running tasks"
            )
        }
    }

    mutating func checkHandlerName(_ name: String, at place: String) {
        guard !NameRule.isName(name) || name.utf8.count > Limits.maxNameBytes else { return }
        problem(place, "\"\(name)\" is not a handler's name: \(NameRule.name)")
    }

    mutating func checkQueueName(_ name: String, at place: String) {
        guard !NameRule.isOwnName(name) || name.utf8.count > Limits.maxNameBytes else { return }
        problem(place, "\"\(name)\" is not a queue's name: \(NameRule.ownName)")
    }

    private mutating func problem(_ place: String, _ detail: String) {
        problems.append(JSONProblem(pointer: place, detail: detail))
    }

    /// Never asks a name server: only what is loopback by its very name is.
    private static func isLoopback(_ endpoint: Endpoint) -> Bool {
        endpoint.host == "localhost" || endpoint.numericAddress?.isLoopback == true
    }
}
