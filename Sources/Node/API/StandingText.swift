/// What an operator has to know, and do, about a node that is no member.
struct StandingText {
    /// nil: it is one.
    let problem: String?

    init(_ replica: Replica) {
        self.init(replica.standing, node: replica.id.name, isRestored: replica.isRestored)
    }

    init(_ standing: Standing, node: String, isRestored: Bool = false) {
        switch standing {
        case .member:
            problem = nil
        case .stranger where isRestored:
            problem =
                "This node was restored from a backup to found a cluster, but there is one already, with other nodes "
                + "of the configuration in it. If that is the one to keep, empty this node's directory; if not, "
                + "stop its nodes and empty theirs."
        case .alone where isRestored:
            problem =
                "This node was restored from a backup to found a cluster: start it without --join, from a "
                + "configuration that names it."
        case .founding(let missing) where missing.isEmpty:
            problem =
                "The nodes of the configuration are about to found the cluster. If that lasts, one of them has a data "
                + "directory that is not new; see its log."
        case .founding(let missing):
            problem =
                "The cluster is founded when all nodes of the configuration are there; missing: "
                + missing.joined(separator: ", ") + "."
        case .stranger(isNameTaken: false):
            problem =
                "This node is not a member of the cluster. Take it in with: carillon cluster add \(node)"
        case .stranger(isNameTaken: true):
            problem =
                "The cluster has a member \(node) with another data directory. If that is lost, take this node in with: "
                + "carillon cluster remove \(node), then: carillon cluster add \(node). If another machine runs as \(node), "
                + "give this one another id."
        case .catchingUp:
            problem =
                "This node is no member by what it has of the log; it is waiting for the rest of it."
        case .removed:
            problem = "This node was removed from the cluster. " + Self.farewell(node)
        case .disowned:
            problem =
                "This node finds no leader, and the nodes that it can reach say that it is no member. They may lag behind: "
                + "don't delete its data before there is a leader. " + Self.farewell(node)
        case .alone:
            problem = "This node is no member, and has met none of the cluster's nodes yet."
        }
    }

    /// A node knows of its own removal before it knows that this is settled, so the members have to confirm it before
    /// anything is deleted.
    private static func farewell(_ node: String) -> String {
        "When carillon cluster status, asked of a node that has a leader, does not show it, stop it and delete its data "
            + "directory; started anew, it can be taken in again with: carillon cluster add \(node)"
    }
}
