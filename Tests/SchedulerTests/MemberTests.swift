import Testing

@testable import Scheduler

extension Member {
    static func named(_ name: String, directory: UInt64 = 0) -> Member {
        Member(name: name, directory: directory, peer: "\(name):7101", api: "\(name):7201")
    }
}

extension NodeRecord {
    static func named(
        _ name: String, directory: UInt64 = 0, stateVersion: UInt32 = 2
    ) -> NodeRecord {
        NodeRecord(
            name: name, directory: directory, peer: "\(name):7101", api: "\(name):7201",
            stateVersion: stateVersion)
    }
}

/// Who the members shall be, as the state machine keeps it.
struct MemberTests {
    /// Founded with a and b, at the version that knows members.
    private func founded(_ capacity: Capacity = Capacity()) throws -> Machine {
        var machine = Machine(capacity)
        try machine.run(.raiseStateVersion(2))
        try machine.run(.adoptMembers([.named("a", directory: 1), .named("b", directory: 2)]))
        return machine
    }

    @Test
    func anOlderVersionKnowsNoMembers() throws {
        var machine = Machine()
        #expect(machine.scheduler.stateVersion == 1)
        for command in [
            Command.adoptMembers([.named("a")]), .addMember(.named("a")),
            .removeMember(name: "a", directory: 0),
        ] {
            let outcome = try machine.run(command)
            #expect(outcome == .rejected(.notSupportedYet))
        }
        #expect(machine.scheduler.members.isEmpty)
        try machine.run(.raiseStateVersion(2))
        // Nothing can be taken in beside members nobody has written down.
        let early = try machine.run(.addMember(.named("c")))
        #expect(early == .rejected(.notSupportedYet))
        let adopted = try machine.run(.adoptMembers([.named("a")]))
        #expect(adopted == .done)
    }

    @Test
    func theVersionNeverFalls() throws {
        var machine = Machine()
        let revision = machine.scheduler.rosterRevision
        try machine.run(.raiseStateVersion(3))
        // Who can't follow looks then, and stops.
        #expect(machine.scheduler.rosterRevision > revision)
        let lower = try machine.run(.raiseStateVersion(2))
        #expect(lower == .done)
        #expect(machine.scheduler.stateVersion == 3)
    }

    @Test
    func theFoundersAreWrittenDownOnce() throws {
        var machine = try founded()
        let again = try machine.run(.adoptMembers([.named("x")]))
        #expect(again == .done)
        #expect(machine.scheduler.members.map(\.name) == ["a", "b"])
    }

    @Test
    func addingTwiceIsAddingOnce() throws {
        var machine = try founded()
        let revision = machine.scheduler.rosterRevision
        let first = try machine.run(.addMember(.named("aa", directory: 3)))
        #expect(first == .done)
        #expect(machine.scheduler.rosterRevision > revision)
        let state = machine.scheduler.members
        let second = try machine.run(.addMember(.named("aa", directory: 3)))
        #expect(second == .done)
        #expect(machine.scheduler.members == state)
        #expect(state.map(\.name) == ["a", "aa", "b"])
    }

    @Test
    func anotherDirectoryIsAnotherNode() throws {
        var machine = try founded()
        let refused = try machine.run(.addMember(.named("b", directory: 9)))
        #expect(refused == .rejected(.memberExists))
        try machine.run(.removeMember(name: "b", directory: 2))
        let added = try machine.run(.addMember(.named("b", directory: 9)))
        #expect(added == .done)
        // Sent once more by somebody who heard no answer.
        let late = try machine.run(.removeMember(name: "b", directory: 2))
        #expect(late == .rejected(.notFound))
        #expect(machine.scheduler.member("b")?.directory == 9)
    }

    @Test
    func removingNeedsSomebodyWhoStays() throws {
        var machine = try founded()
        let unknown = try machine.run(.removeMember(name: "x", directory: 1))
        #expect(unknown == .rejected(.notFound))
        let first = try machine.run(.removeMember(name: "a", directory: 1))
        #expect(first == .done)
        let again = try machine.run(.removeMember(name: "a", directory: 1))
        #expect(again == .rejected(.notFound))
        let last = try machine.run(.removeMember(name: "b", directory: 2))
        #expect(last == .rejected(.lastMember))
    }

    /// It was asked for under older rules, perhaps.
    @Test
    func whoCouldApplyNothingIsNotTakenIn() throws {
        var machine = try founded()
        let old = try machine.run(.addMember(.named("c", stateVersion: 1)))
        #expect(old == .rejected(.tooOld))
        let added = try machine.run(.addMember(.named("c", directory: 3, stateVersion: 2)))
        #expect(added == .done)
        // Before it has said a word: the rules don't rise above it.
        #expect(machine.scheduler.node("c") == .named("c", directory: 3, stateVersion: 2))
    }

    @Test
    func thereIsRoomForSoManyOnly() throws {
        var capacity = Capacity()
        capacity.members = 3
        var machine = try founded(capacity)
        try machine.run(.addMember(.named("c")))
        let fourth = try machine.run(.addMember(.named("d")))
        #expect(fourth == .rejected(.full))
        let known = try machine.run(.addMember(.named("c")))
        #expect(known == .done)
    }

    @Test
    func onlyMembersSayWhoTheyAre() throws {
        var machine = try founded()
        let member = try machine.run(
            .announceNode(.named("a", directory: 1, stateVersion: 2)))
        #expect(member == .done)
        let stranger = try machine.run(.announceNode(.named("x", stateVersion: 2)))
        #expect(stranger == .rejected(.notFound))
        let other = try machine.run(.announceNode(.named("a", directory: 9, stateVersion: 2)))
        #expect(other == .rejected(.notFound))
        #expect(machine.scheduler.nodes == [.named("a", directory: 1, stateVersion: 2)])
        let revision = machine.scheduler.rosterRevision
        try machine.run(.announceNode(.named("a", directory: 1, stateVersion: 2)))
        #expect(machine.scheduler.rosterRevision == revision)
        try machine.run(.announceNode(.named("a", directory: 1, stateVersion: 3)))
        #expect(machine.scheduler.node("a")?.stateVersion == 3)
        try machine.run(.removeMember(name: "a", directory: 1))
        #expect(machine.scheduler.nodes.isEmpty)
    }

    @Test
    func beforeTheMembersAreKnownAnybodyMaySpeakUpToALimit() throws {
        var capacity = Capacity()
        capacity.members = 2
        var machine = Machine(capacity)
        try machine.run(.announceNode(.named("b", stateVersion: 2)))
        try machine.run(.announceNode(.named("a", stateVersion: 2)))
        let third = try machine.run(.announceNode(.named("c", stateVersion: 2)))
        #expect(third == .rejected(.full))
        #expect(machine.scheduler.nodes.map(\.name) == ["a", "b"])
        try machine.run(.raiseStateVersion(2))
        try machine.run(.adoptMembers([.named("a")]))
        #expect(machine.scheduler.nodes.map(\.name) == ["a"])
    }

    /// What runs on a member that leaves is not taken from it while it may still be running there.
    @Test
    func aLeavingMembersWorkerGetsNothingNew() throws {
        var machine = try founded()
        try machine.register("a", incarnation: Incarnation.number(directory: 1, start: 1))
        let running = try machine.submit(.h())
        try machine.run(.removeMember(name: "a", directory: 1))
        #expect(machine.scheduler.worker("a")?.state == .draining)
        #expect(machine.revoked.isEmpty)
        let next = try machine.submit(.h())
        #expect(machine.state(next) == .ready)
        try machine.finish(running)
        #expect(machine.state(running) == .succeeded)
        #expect(machine.state(next) == .ready)
        try machine.run(.addMember(.named("a", directory: 1)))
        #expect(machine.scheduler.worker("a")?.state == .live)
        #expect(machine.state(next) == .running)
    }

    /// Nobody would run what is assigned to it.
    @Test
    func aFormerNodesWorkerIsNotOfferedWorkOnceItsSuccessorIsTakenIn() throws {
        var machine = try founded()
        try machine.register("a")
        try machine.run(.removeMember(name: "a", directory: 1))
        try machine.run(.addMember(.named("a", directory: 99)))
        #expect(machine.scheduler.worker("a")?.state == .draining)
        let next = try machine.submit(.h())
        #expect(machine.state(next) == .ready)
    }

    @Test
    func theRosterSurvivesASnapshot() throws {
        var machine = try founded()
        try machine.run(.addMember(.named("c", directory: 7)))
        try machine.run(.announceNode(.named("c", directory: 7, stateVersion: 2)))
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.members == machine.scheduler.members)
        #expect(restored.nodes == machine.scheduler.nodes)
        #expect(restored.stateVersion == 2)
        #expect(restored.stateHash() == machine.scheduler.stateHash())
        var forgetful = restored
        forgetful.forgetMembers()
        #expect(forgetful.members.isEmpty && forgetful.nodes.isEmpty)
        #expect(forgetful.stateVersion == 2)
        #expect(forgetful.stateHash() != restored.stateHash())
    }

    @Test
    func membersOutOfOrderAreRefused() {
        let wrong = Command.adoptMembers([.named("b"), .named("a")]).encoded()
        #expect(throws: CodecError.self) { try Command(decoding: wrong) }
        let double = Command.adoptMembers([.named("a"), .named("a")]).encoded()
        #expect(throws: CodecError.self) { try Command(decoding: double) }
        let long = String(repeating: "x", count: Limits.maxAddressBytes + 1)
        let node = NodeRecord(name: "a", directory: 1, peer: long, api: "", stateVersion: 2)
        #expect(throws: CodecError.self) {
            try Command(decoding: Command.addMember(node).encoded())
        }
    }
}
