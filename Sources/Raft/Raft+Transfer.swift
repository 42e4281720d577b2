/// Handing leadership over on purpose (dissertation, section 3.10).
extension Raft {
    /// Ignored unless leading, or if there is no such voter. Given up after an election timeout.
    mutating func beginTransfer(to target: NodeID?) {
        guard let leading = leadership, leading.transfer == nil,
            let chosen = target ?? bestSuccessor(leading), chosen != id,
            configuration.voters.contains(chosen), leading.position(of: chosen) != nil
        else { return }
        leadership?.transfer = Leadership.Transfer(
            target: chosen, deadline: clock + settings.electionNanoseconds)
    }

    /// The voter with the longest log among those heard lately; the first by name if several have it.
    private func bestSuccessor(_ leading: Leadership) -> NodeID? {
        var best: Progress?
        for peer in leading.peers where configuration.voters.contains(peer.id) {
            guard clock < peer.heardAt + settings.electionNanoseconds, !peer.isDamaged else {
                continue
            }
            if peer.match > best?.match ?? 0 || best == nil { best = peer }
        }
        return best?.id
    }

    /// At the end of each turn: as soon as the successor has everything, it is told to campaign; again with
    /// each heartbeat, as messages get lost.
    mutating func continueTransfer(isHeartbeat: Bool, into effects: inout [Effect]) {
        guard let leading = leadership, let transfer = leading.transfer,
            let position = leading.position(of: transfer.target),
            leading.peers[position].match == log.lastIndex,
            transfer.sentAt == nil || isHeartbeat
        else { return }
        if transfer.sentAt == nil { leadership?.transfer?.sentAt = clock }
        leadership?.hasInvitedSuccessor = true
        send(.timeoutNow, to: transfer.target, into: &effects)
    }
}
