import Raft

/// What a transcript says of messages, batches and nodes.
extension Message {
    /// The line of `text`, and the round, where a message has one; 0 is not to be answered.
    var transcriptText: String {
        let round: UInt64? =
            switch body {
            case .append(let append): append.round
            case .appendReply(let reply): reply.round
            case .snapshotChunk(let chunk): chunk.round
            case .snapshotReply(let reply): reply.round
            default: nil
            }
        return round.map { "\(text) round \($0)" } ?? text
    }
}

extension Message.SnapshotChunk {
    var range: String { "\(offset)..<\(offset + UInt64(bytes.count))" }
}

extension Entry {
    /// Index and term, and the content if there is any: "3/1=x".
    var text: String {
        switch payload {
        case .noop: "\(index)/\(term)"
        case .command(let bytes): "\(index)/\(term)=\(String(decoding: bytes, as: UTF8.self))"
        case .configuration(let configuration): "\(index)/\(term)=\(configuration.text)"
        case .lost: "\(index)/\(term)=lost"
        }
    }
}

extension Configuration {
    var text: String {
        guard !members.isEmpty else { return "(nobody)" }
        func list(_ ids: [NodeID]) -> String { ids.map(\.description).joined(separator: " ") }
        return "(" + list(voters) + (isJoint ? " leaving " + list(outgoing) : "")
            + (learners.isEmpty ? "" : " learning " + list(learners)) + ")"
    }
}

extension Batch {
    var text: String {
        var parts: [String] = []
        if let hardState { parts.append(hardState.text) }
        if let snapshot {
            parts.append("snapshot \(snapshot.index)/\(snapshot.term)")
            if resetsLog { parts.append("drops the log") }
        }
        if let truncateFrom { parts.append("cuts from \(truncateFrom)") }
        if !entries.isEmpty { parts.append(entries.map(\.text).joined(separator: " ")) }
        return "#\(ticket): " + parts.joined(separator: ", ")
    }
}

extension HardState {
    var text: String { "term \(term)" + (vote.map { " vote \($0)" } ?? "") }
}

extension Raft {
    var leadershipText: String {
        let follows = role == .leader ? "" : leader.map { ", led by \($0)" } ?? ""
        return "\(role) in term \(term)\(follows)"
    }
}

extension Stage {
    func describe(_ id: NodeID) {
        let member = self[id]
        guard member.isUp else {
            say("\(id) down, on disk: \(member.disk.text)")
            return
        }
        let raft = member.raft
        let durable = raft.durableIndex < raft.lastIndex ? " (durable \(raft.durableIndex))" : ""
        let log = raft.logText.isEmpty ? "empty" : raft.logText
        let lost = raft.lostEntries > 0 ? ", \(raft.lostEntries) lost" : ""
        let vote = raft.vote.map { ", voted \($0)" } ?? ""
        say(
            "\(id) \(raft.leadershipText)\(vote), log \(log)\(lost)\(durable), "
                + "commit \(raft.commitIndex), applied \(member.appliedIndex)"
        ) {
            for peer in raft.peers {
                say(
                    "\(peer.id) \(peer.mode), match \(peer.match), next \(peer.next), "
                        + "in flight \(peer.inFlightMessages)")
            }
        }
    }
}

extension TestDisk {
    var text: String {
        let prefix = image.snapshot.index > 0 ? ["(\(image.snapshot.index))"] : []
        let terms = (prefix + image.entries.map { "\($0.term)" }).joined(separator: " ")
        return "\(image.hardState.text), log \(terms.isEmpty ? "empty" : terms)"
    }
}
