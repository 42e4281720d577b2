import Raft

extension ClusterConfiguration {
    var replicaSettings: ReplicaSettings {
        var settings = ReplicaSettings()
        settings.raft.heartbeatNanoseconds =
            Nanoseconds(timing.heartbeatMilliseconds) * 1_000_000
        settings.raft.electionNanoseconds = Nanoseconds(timing.electionMilliseconds) * 1_000_000
        settings.workerTimeoutNanoseconds =
            Nanoseconds(timing.workerTimeoutMilliseconds) * 1_000_000
        return settings
    }

    var handlersByName: [String: HandlerDefinition] {
        Dictionary(uniqueKeysWithValues: handlers.map { ($0.name, $0.definition) })
    }
}
