/// Live workers with the same handlers and tags: they can run the same tasks.
struct Crew: Sendable {
    struct Key: Hashable, Sendable {
        var handlers: [String]
        var tags: [String]
    }

    var key: Key
    /// Numbers of the handlers.
    var handlers: [Int]
    var members = 0
    var slots = 0
    var running = 0
    var free = 0
}

/// Tasks of one namespace with the same handler and tags: the same workers can run them, and a full quota holds
/// back all of them.
struct Requirement: Sendable {
    struct Key: Hashable, Sendable {
        var handler: String
        var tags: [String]
        var space: UInt32
    }

    var key: Key
    var handler: Int
    /// Where it stands in its handler's list of requirements.
    var handlerPlace = 0
    /// Where it stands in its namespace's list of requirements; nil if it has no heads or no crew can run it.
    var spacePlace: Int?
    /// Lanes that have it.
    var lanes = 0
    /// Crews that can run it, ascending.
    var crews: [Int] = []
    /// (`TaskRecord.startKey`, task): of each lane of an open queue the first waiting task of each priority. Entries of
    /// tasks that are so no more come up now and then.
    var heads = Heap()
    /// Lanes and priorities with waiting tasks, those of closed queues included.
    var waitingLevels = 0
    /// Where it stands in its handler's list of requirements with heads; nil if it has none, no crew can run it or
    /// its namespace is full.
    var place: Int?
    /// Number of its ring, if `ringEpoch` is the current one.
    var ring = 0
    var ringEpoch = -1
}

/// A handler's name, with the requirements that name it.
struct HandlerEntry: Sendable {
    var name: String
    /// Crews and requirements that name it.
    var references = 0
    var requirements: [Int] = []
    /// Those among them that have heads and a crew, and whose namespaces are not full.
    var waiting: [Int] = []
}
