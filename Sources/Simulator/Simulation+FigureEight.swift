import Node
import Raft
import Scheduler

/// Figure 8 of the Raft paper, staged with three voters. Chance alone brings the acts in this order too seldom for a
/// leader that commits an entry of an earlier term by counting: nothing else shows that mistake.
struct FigureEight {
    enum Act {
        /// The first leader is alone, and its log grows.
        case firstAlone
        /// A second leader is alone with the first entry of its term, and the first is back.
        case secondAlone
        /// The first leads again. What it had alone arrives, and nothing of its new term does.
        case firstAgain
        /// The first is gone, and the second, whose last entry is of a later term, is back.
        case secondAgain
    }

    var act = Act.firstAlone
    /// The number of the node that leads at the beginning.
    let first: Int
    /// In which it does.
    let term: Term
    let begunAt: Nanoseconds
    /// The one that keeps the first away, or the second.
    var partition: Int
}

extension Simulation {
    private var election: Nanoseconds { scenario.settings.raft.electionNanoseconds }
    private var maxPlay: Nanoseconds { 20 * election }

    func beginPlay() {
        guard phase == .chaos, let every = scenario.node.figureEightEvery else { return }
        after(maxPlay + plotRandom.below(2 * every), .playBegins)
        let voters = voters
        guard voters.count == 3, voters.allSatisfy({ $0.isUp && !$0.isPaused }),
            let leader = voters.first(where: { $0.replica?.raft.role == .leader }),
            let term = leader.replica?.raft.term
        else { return }
        report.faults[.figureEight] += 1
        play = FigureEight(
            first: leader.number, term: term, begunAt: now, partition: separate(leader))
        log.write(now, .network, "\(leader.id) is alone, with entries of term \(term)")
        for number in 0..<3 { submitLargeTask(number, to: leader) }
        after(maxPlay, .playEnds(begunAt: now))
    }

    func playGoesOn(newLeader node: SimulatedNode) {
        guard phase == .chaos, var play, let term = node.replica?.raft.term else { return }
        switch play.act {
        case .firstAlone:
            guard node.number != play.first, term > play.term else { return }
            network.heal(play.partition)
            play.partition = separate(node)
            play.act = .secondAlone
            log.write(now, .network, "\(node.id) is alone, with an entry of term \(term)")
            self.play = play
            connectPeers()
        case .secondAlone:
            guard node.number == play.first else { return }
            play.act = .firstAgain
            log.write(now, .network, "nobody hears of term \(term) from \(node.id)")
            self.play = play
            after(
                election + 4 * scenario.settings.raft.heartbeatNanoseconds,
                .playGoesOn(begunAt: play.begunAt))
        case .firstAgain, .secondAgain: return
        }
    }

    func bringSecondBack(begunAt: Nanoseconds) {
        guard phase == .chaos, var play, play.begunAt == begunAt, play.act == .firstAgain else {
            return
        }
        network.heal(play.partition)
        play.partition = separate(nodes[play.first])
        play.act = .secondAgain
        self.play = play
        log.write(now, .network, "\(nodes[play.first].id) is gone, with what it has told")
        connectPeers()
    }

    /// The last act is over, or something else came between and the next one never began.
    func endPlay(begunAt: Nanoseconds) {
        guard let play, play.begunAt == begunAt else { return }
        self.play = nil
        network.heal(play.partition)
        connectPeers()
    }

    /// An append with entries of the term in which the first leads for the second time.
    func isLostInPlay(_ message: PeerMessage, from node: SimulatedNode) -> Bool {
        guard phase == .chaos, let play, play.act == .firstAgain, play.first == node.number,
            case .raft(let message) = message, case .append(let append) = message.body
        else { return false }
        return append.entries.contains { $0.term == message.term }
    }

    private func separate(_ node: SimulatedNode) -> Int {
        network.cut(
            nodes.filter { $0 !== node }.flatMap {
                [(from: node.number, to: $0.number), (from: $0.number, to: node.number)]
            })
    }

    /// Larger than an append may be in these runs, so that no entry of the new term travels with it.
    private func submitLargeTask(_ number: Int, to node: SimulatedNode) {
        var spec = TaskSpec(handler: "echo")
        spec.timeoutMilliseconds = 2_000
        spec.payload = Oracle.uniqueMark + Array("\"figure 8 \(node.id) \(now) \(number)".utf8)
        spec.payload += Array(repeating: UInt8(ascii: "x"), count: Self.largeBytes)
        spec.payload += Array("\"}".utf8)
        after(5_000_000_000, .clientDeadline(ask(.submit(spec), of: node)))
    }

    private static let largeBytes = 700
}
