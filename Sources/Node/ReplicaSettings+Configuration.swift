import Raft
import Scheduler

extension ClusterConfiguration {
    /// A node that joins a cluster never founds one.
    func replicaSettings(for member: Member, joins: Bool) -> ReplicaSettings {
        var settings = ReplicaSettings()
        settings.raft.heartbeatNanoseconds =
            Nanoseconds(timing.heartbeatMilliseconds) * 1_000_000
        settings.raft.electionNanoseconds = Nanoseconds(timing.electionMilliseconds) * 1_000_000
        settings.workerTimeoutNanoseconds =
            Nanoseconds(timing.workerTimeoutMilliseconds) * 1_000_000
        settings.raft.leaseReads = timing.leaseReads
        settings.raft.maxClockDriftPPM = UInt64(timing.clockDriftPPM)
        settings.maxFeedRecords = 16_384
        settings.initialQueues = queues
        settings.retention = retention
        settings.founders = joins ? [] : nodes.map(\.id)
        settings.joins = joins
        settings.peerAddress = member.peer.description
        settings.apiAddress = member.api.description
        return settings
    }

    /// With the one that needs a node around it.
    var handlersOfNodes: [String: HandlerDefinition] {
        var handlers = handlersByName
        handlers[Webhook.handler] = .webhook(WebhookHandler(secret: webhookSecret))
        return handlers
    }

    var handlersByName: [String: HandlerDefinition] {
        Dictionary(uniqueKeysWithValues: handlers.map { ($0.name, $0.definition) })
    }
}
