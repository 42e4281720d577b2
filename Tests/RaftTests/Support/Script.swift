@testable import Raft

/// The commands of a transcript, carried out on a stage.
///
/// A node is a name, a link is `n1→n2`, `n1→` or `→n2`; without a link a command means all messages
/// under way.
///
///     nodes 3                    three voters with empty disks; or their names, `learners n4`, and settings:
///                                chunk=, retained=, window=, append=, uncommitted= (messages or bytes), lease
///     fresh n4 n5                these start with empty directories and belong to no cluster
///     given n1 log 1 1 4 term 5 vote n2     n1 starts with this on its disk instead
///     fast-disks                 from here on a batch is synced as soon as it is written
///     campaign n1                the patience of n1 ends
///     wait 50ms                  time passes, nobody is told
///     idle 300ms                 time passes, leaders send heartbeats, everything arrives
///     tick n1                    n1 is told the time
///     beat n1                    time passes until the next heartbeat of n1, which sends it
///     deliver [LINK] [only N]    messages arrive, in the order they were sent; only the Nth of them
///     drop [LINK] [only N]       messages are lost
///     repeat [LINK]              messages under way will arrive twice
///     cut LINK|n1 · heal         whatever is sent there is lost, until healed
///     sync [n1] [COUNT]          batches become durable: all, or the oldest COUNT
///     settle                     syncs and delivers until nothing is left to do
///     quietly COMMAND            without telling what comes of it
///     crash n1 [synced COUNT]    what is not synced is gone; COUNT batches made it to the disk, unheard
///     restart n1 · gone n1 n2    n1 starts from its disk; n1 hears that the process of n2 is gone
///     propose n1 x y · read n1 [n2]…       all in one turn; one read each
///     transfer n1 [n2]           n1 hands over leadership
///     snapshot n1 SIZE           n1 takes a snapshot of SIZE bytes of what it has applied
///     found n1 n2 n3 · members n1 n2 n3     n1 shall found a cluster of these; the leader shall get to these voters
///     lose n1 3 4 [state]        n1 stops, finds these entries, or its snapshot, damaged, and goes on
///     damage n1 · remove n1 4    the next file n1 receives is damaged; the file of snapshot 4 is deleted
///     status [n1]…               how things stand
struct Script {
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    let stage = Stage()

    /// What comes of a command, line by line.
    func run(_ command: String) throws -> [String] {
        var words = command.split(separator: " ").map(String.init)
        let isQuiet = words.first == "quietly"
        if isQuiet { words.removeFirst() }
        guard let verb = words.first else { throw Mistake(description: "no command") }
        let arguments = Array(words.dropFirst())
        let isKnown =
            try runSetting(verb, arguments) || runTime(verb, arguments)
            || runNetwork(verb, arguments) || runNode(verb, arguments)
        guard isKnown else { throw Mistake(description: "no such command: \(command)") }
        let lines = stage.takeLines()
        return isQuiet ? [] : lines
    }

    // MARK: - The stage

    private func runSetting(_ verb: String, _ arguments: [String]) throws -> Bool {
        switch verb {
        case "nodes": try begin(arguments)
        case "given": try give(arguments)
        case "fresh":
            for word in arguments {
                stage.start(NodeID(word), from: TestDisk(Recovered(voters: [])))
            }
        case "fast-disks": stage.hasFastDisks = true
        default: return false
        }
        return true
    }

    private func begin(_ arguments: [String]) throws {
        var voters: [NodeID] = []
        var learners: [NodeID] = []
        var isLearner = false
        for word in arguments {
            if word.contains("=") || word == "lease" {
                try set(word)
            } else if word == "learners" {
                isLearner = true
            } else if let count = Int(word) {
                voters += (1...count).map { NodeID("n\($0)") }
            } else if isLearner {
                learners.append(NodeID(word))
            } else {
                voters.append(NodeID(word))
            }
        }
        let image = Recovered(voters: voters, learners: learners)
        for id in voters + learners { stage.start(id, from: TestDisk(image)) }
    }

    private func set(_ assignment: String) throws {
        if assignment == "lease" {
            stage.settings.leaseReads = true
            return
        }
        let parts = assignment.split(separator: "=").map(String.init)
        guard parts.count == 2, let value = Int(parts[1]) else {
            throw Mistake(description: "not a setting: \(assignment)")
        }
        switch parts[0] {
        case "chunk": stage.settings.maxSnapshotChunkBytes = value
        case "retained":
            stage.settings.retainedLogBytes = value
            stage.settings.maxRetainedLogBytes = value
        case "window": stage.settings.maxInFlightMessages = value
        case "append": stage.settings.maxAppendBytes = value
        case "uncommitted": stage.settings.maxUncommittedBytes = value
        default: throw Mistake(description: "no such setting: \(assignment)")
        }
    }

    private func give(_ arguments: [String]) throws {
        let id = try node(arguments, 0)
        var key = ""
        var terms: [Term] = []
        var term: Term?
        var vote: NodeID?
        for word in arguments.dropFirst() {
            if ["log", "term", "vote"].contains(word) {
                key = word
                continue
            }
            switch (key, Term(word)) {
            case ("log", let value?): terms.append(value)
            case ("term", let value?): term = value
            case ("vote", nil): vote = NodeID(word)
            default: throw Mistake(description: "can't be given: \(word)")
            }
        }
        let configuration = stage[id].raft.configuration
        let image = Recovered(
            voters: configuration.voters, learners: configuration.learners, terms: terms,
            term: term, vote: vote)
        stage.start(id, from: TestDisk(image))
    }

    // MARK: - Time and disks

    private func runTime(_ verb: String, _ arguments: [String]) throws -> Bool {
        switch verb {
        case "campaign":
            let id = try node(arguments, 0)
            stage[id].raft.electionDeadline = stage.now
            stage.turn(id, .tick)
        case "wait":
            stage.now += try duration(arguments)
        case "idle":
            let end = stage.now + (try duration(arguments))
            while let next = stage.nextHeartbeat, next <= end {
                stage.now = max(stage.now, next)
                for id in stage.ids where stage[id].leads { stage.turn(id, .tick) }
                try settle()
            }
            stage.now = end
        case "tick": stage.turn(try node(arguments, 0), .tick)
        case "beat":
            let id = try node(arguments, 0)
            guard stage[id].leads else { throw Mistake(description: "\(id) does not lead") }
            stage.now = max(stage.now, stage[id].raft.nextDeadline)
            stage.turn(id, .tick)
        case "sync":
            for id in arguments.isEmpty ? stage.ids : [try node(arguments, 0)] {
                stage.sync(id, count: arguments.count > 1 ? try number(arguments, 1) : .max)
            }
        case "settle": try settle()
        default: return false
        }
        return true
    }

    private func settle() throws {
        guard stage.settle() else { throw Mistake(description: "it never comes to rest") }
    }

    private func duration(_ arguments: [String]) throws -> Nanoseconds {
        guard let word = arguments.first, word.hasSuffix("ms"),
            let milliseconds = UInt64(word.dropLast(2))
        else { throw Mistake(description: "how long?") }
        return milliseconds * 1_000_000
    }

    // MARK: - The network

    private func runNetwork(_ verb: String, _ arguments: [String]) throws -> Bool {
        switch verb {
        case "deliver": for message in try take(arguments) { stage.deliver(message) }
        case "drop":
            for message in try take(arguments) { stage.say("lost \(message.transcriptText)") }
        case "repeat":
            let isMeant = try link(arguments.first)
            stage.network += stage.network.filter(isMeant)
        case "cut":
            guard let word = arguments.first else { throw Mistake(description: "cut what?") }
            let isMeant = try word.contains("→") ? link(word) : nil
            for from in stage.ids {
                for to in stage.ids where from != to {
                    let probe = Message(from: from, to: to, term: 0, body: .timeoutNow)
                    if isMeant?(probe) ?? (from.name == word || to.name == word) {
                        stage.cutLinks.insert(Stage.Link(from: from, to: to))
                    }
                }
            }
        case "heal": stage.cutLinks.removeAll()
        default: return false
        }
        return true
    }

    /// Takes the messages that are meant off the network.
    private func take(_ arguments: [String]) throws -> [Message] {
        let hasLink = arguments.first?.contains("→") ?? false
        let isMeant = try link(hasLink ? arguments.first : nil)
        let rest = Array(hasLink ? arguments.dropFirst() : arguments[...])
        var only: Int?
        if !rest.isEmpty {
            guard rest[0] == "only" else { throw Mistake(description: "not a link: \(rest[0])") }
            only = try number(rest, 1)
        }
        var taken: [Message] = []
        var kept: [Message] = []
        var position = 0
        for message in stage.network {
            let matches = isMeant(message)
            if matches { position += 1 }
            if matches, only == nil || only == position {
                taken.append(message)
            } else {
                kept.append(message)
            }
        }
        guard !taken.isEmpty else { throw Mistake(description: "no such message is under way") }
        stage.network = kept
        return taken
    }

    private func link(_ word: String?) throws -> (Message) -> Bool {
        guard let word else { return { _ in true } }
        let ends = word.split(separator: "→", omittingEmptySubsequences: false).map(String.init)
        guard ends.count == 2 else { throw Mistake(description: "not a link: \(word)") }
        return { message in
            (ends[0].isEmpty || message.from.name == ends[0])
                && (ends[1].isEmpty || message.to.name == ends[1])
        }
    }

    // MARK: - Nodes

    private func runNode(_ verb: String, _ arguments: [String]) throws -> Bool {
        switch verb {
        case "status":
            let ids = arguments.isEmpty ? stage.ids : try names(arguments[...])
            for id in ids { stage.describe(id) }
        case "crash":
            let count = arguments.count > 2 ? try number(arguments, 2) : 0
            stage.crash(try node(arguments, 0), syncedBatches: count)
        case "found":
            stage.turn(try node(arguments, 0), .found(try names(arguments[...])))
        case "members":
            let voters = try names(arguments[...])
            for id in stage.ids where stage[id].leads {
                stage.turn(id, .changeMembership(voters: voters))
            }
        case "lose": try lose(arguments)
        case "restart":
            let id = try node(arguments, 0)
            stage.start(id, from: stage[id].disk)
        case "gone": stage.turn(try node(arguments, 0), .peerLost(try node(arguments, 1)))
        case "propose":
            let id = try node(arguments, 0)
            guard stage[id].raft.acceptsProposals else {
                stage.say("\(id) accepts no proposals")
                return true
            }
            stage.turn(id, arguments.dropFirst().map { .propose(Array($0.utf8)) })
        case "read": try read(on: names(arguments[...]))
        case "transfer":
            let target = arguments.count > 1 ? NodeID(arguments[1]) : nil
            stage.turn(try node(arguments, 0), .transferLeadership(to: target))
        case "snapshot": try takeSnapshot(on: node(arguments, 0), bytes: number(arguments, 1))
        case "damage": stage[try node(arguments, 0)].damagesNextFile = true
        case "remove":
            stage[try node(arguments, 0)].disk.remove(fileAt: Index(try number(arguments, 1)))
        default: return false
        }
        return true
    }

    private func read(on ids: [NodeID]) {
        for id in ids {
            stage.lastRead += 1
            stage.turn(id, .read(stage.lastRead))
        }
    }

    private func lose(_ arguments: [String]) throws {
        let id = try node(arguments, 0)
        stage.crash(id, syncedBatches: .max)
        var disk = stage[id].disk
        disk.damage(arguments.compactMap(Index.init))
        if arguments.last == "state" { disk.loseState() }
        stage.start(id, from: disk)
    }

    private func takeSnapshot(on id: NodeID, bytes: Int) {
        let mark = stage[id].raft.mark(at: stage[id].appliedIndex)
        stage[id].disk.put(TestDisk.File(mark: mark, bytes: Array(repeating: 0, count: bytes)))
        stage.turn(id, .snapshotTaken(mark))
    }

    // MARK: - Words

    private func node(_ arguments: [String], _ position: Int) throws -> NodeID {
        guard position < arguments.count else { throw Mistake(description: "which node?") }
        let id = NodeID(arguments[position])
        guard stage.has(id) else { throw Mistake(description: "no node \(id)") }
        return id
    }

    private func names(_ words: ArraySlice<String>) throws -> [NodeID] {
        try words.map { try node([$0], 0) }
    }

    private func number(_ arguments: [String], _ position: Int) throws -> Int {
        guard position < arguments.count, let value = Int(arguments[position]) else {
            throw Mistake(description: "how many?")
        }
        return value
    }
}
