/// Who the members shall be, and by which rules commands are applied. The state machine keeps the wish, replicated
/// like everything else, so that it survives any leader; the leader's host compares it with Raft's configuration.
extension Scheduler {
    /// The newest rules this program knows.
    public static let latestStateVersion: UInt32 = 2

    /// From this version on membership commands are understood.
    static let membershipVersion: UInt32 = 2

    /// The rules in force. A program that knows only older ones must not apply anything more.
    public var stateVersion: UInt32 { state.roster.stateVersion }

    /// The members there shall be, by name; empty until they were written down for the first time.
    public var members: [Member] { state.roster.members }

    /// What the nodes say of themselves, by name.
    public var nodes: [NodeRecord] { state.roster.nodes }

    public func node(_ name: String) -> NodeRecord? { state.roster.node(name) }

    public func member(_ name: String) -> Member? { state.roster.member(name) }

    /// Changes whenever `members` or `nodes` do, and only then, except that loading a snapshot starts it anew.
    public var rosterRevision: UInt64 { state.roster.revision }

    /// For the state of one cluster that is to begin another: its members are not the other's.
    public mutating func forgetMembers() {
        state.roster = Roster(stateVersion: stateVersion, members: [], nodes: [])
    }

    mutating func adoptMembers(_ founders: [Member]) -> Outcome {
        guard stateVersion >= Self.membershipVersion else { return .rejected(.notSupportedYet) }
        guard !founders.isEmpty else { return .rejected(.malformed) }
        // Two leaders in a row may have proposed it; the first has said it.
        guard members.isEmpty else { return .done }
        state.roster.adopt(founders)
        return .done
    }

    /// Taking in what is a member already changes nothing. Under another directory it is another node: the old
    /// one has to be removed first, or a slip of an operator would replace a node that still holds data.
    /// Its worker is offered work again, if it was drained on the way out; not that of a former node of its name.
    mutating func addMember(_ node: NodeRecord, _ events: inout [Event]) -> Outcome {
        guard isMembershipOpen else { return .rejected(.notSupportedYet) }
        // Here and not only where it was asked for: the rules may have risen on the way.
        guard node.stateVersion >= stateVersion else { return .rejected(.tooOld) }
        if let known = state.roster.member(node.name) {
            guard known.directory == node.directory else { return .rejected(.memberExists) }
            return .done
        }
        guard members.count < capacity.members else { return .rejected(.full) }
        state.roster.put(
            Member(name: node.name, directory: node.directory, peer: node.peer, api: node.api))
        state.roster.put(node)
        if let (_, record) = knownWorker(node.name), record.state == .draining,
            Incarnation.isOf(directory: node.directory, record.incarnation)
        {
            _ = undrainWorker(node.name, incarnation: record.incarnation, &events)
        }
        return .done
    }

    /// Nothing new is assigned to its worker. What runs there may end while the node is still a member; the rest
    /// is lost like that of any worker that falls silent, when it has surely stopped.
    mutating func removeMember(
        _ name: String, directory: UInt64, _ events: inout [Event]
    ) -> Outcome {
        guard isMembershipOpen else { return .rejected(.notSupportedYet) }
        guard state.roster.member(name)?.directory == directory else {
            return .rejected(.notFound)
        }
        guard members.count > 1 else { return .rejected(.lastMember) }
        state.roster.remove(name)
        if let (_, record) = knownWorker(name), record.state == .live {
            _ = drainWorker(name, incarnation: record.incarnation, &events)
        }
        return .done
    }

    mutating func announceNode(_ node: NodeRecord) -> Outcome {
        guard node.stateVersion > 0 else { return .rejected(.malformed) }
        if members.isEmpty {
            guard state.roster.node(node.name) != nil || nodes.count < capacity.members else {
                return .rejected(.full)
            }
        } else {
            // Under another directory it is somebody else, who is no member.
            guard state.roster.member(node.name)?.directory == node.directory else {
                return .rejected(.notFound)
            }
        }
        if state.roster.node(node.name) != node { state.roster.put(node) }
        return .done
    }

    /// Also above what this program knows: the host sees it and stops, having applied what everybody applied.
    mutating func raiseStateVersion(_ version: UInt32) -> Outcome {
        state.roster.stateVersion = max(stateVersion, version)
        return .done
    }

    /// Whether `given` is the life of a node or worker that was the last until now (`known`), or a later one.
    ///
    /// Of two directories the member's counts: one is taken in after the other was removed, so whatever the former one
    /// still sends, perhaps from before, is recognised however its numbers compare.
    func isCurrent(_ given: UInt64, of name: String, known: UInt64) -> Bool {
        guard !Incarnation.areOfOneDirectory(given, known), stateVersion >= Self.membershipVersion
        else { return given >= known }
        // A state that begins another cluster remembers the nodes of the first; here each name is one founder's.
        guard !members.isEmpty else { return true }
        guard let member = state.roster.member(name) else { return false }
        return Incarnation.isOf(directory: member.directory, given)
    }

    private var isMembershipOpen: Bool {
        stateVersion >= Self.membershipVersion && !members.isEmpty
    }
}
