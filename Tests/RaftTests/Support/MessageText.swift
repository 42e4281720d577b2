import Raft

/// Messages as a line of a transcript.
extension Message {
    var text: String { "\(from)→\(to) t\(term) \(body.text)" }
}

extension Message.Body {
    var text: String {
        switch self {
        case .preVoteRequest(let request): "preVote? \(request.text)"
        case .preVoteReply(let granted): granted ? "preVote yes" : "preVote no"
        case .voteRequest(let request): "vote? \(request.text)"
        case .voteReply(let granted): granted ? "vote yes" : "vote no"
        case .append(let append): append.text
        case .appendReply(let reply): reply.text
        case .snapshotChunk(let chunk):
            "chunk \(chunk.mark.index)/\(chunk.mark.term) bytes "
                + "\(chunk.offset)..<\(chunk.offset + UInt64(chunk.bytes.count)) of \(chunk.totalBytes)"
        case .snapshotReply(let reply):
            reply.isInstalled
                ? "installed \(reply.index)" : "wants \(reply.index)@\(reply.nextOffset)"
        case .timeoutNow: "timeoutNow"
        case .readRequest: "read?"
        case .readReply(_, let index): "read \(index.map(String.init) ?? "no")"
        case .repairRequest(let request):
            "repair? \(request.first)...\(request.last)/\(request.lastTerm)"
        case .repairReply(let reply):
            "repair "
                + (reply.isCompacted
                    ? "compacted"
                    : reply.entries.map { "\($0.index)/\($0.term)" }.joined(separator: " "))
        }
    }
}

extension Message.VoteRequest {
    var text: String { "\(lastIndex)/\(lastTerm)\(isTransfer ? " transfer" : "")" }
}

extension Message.Append {
    var text: String {
        let terms = entries.map { "\($0.index)/\($0.term)" }.joined(separator: " ")
        return "append \(previousIndex)/\(previousTerm) [\(terms)] commit \(commit)"
    }
}

extension Message.AppendReply {
    var text: String {
        switch outcome {
        case .matched(let index): "matched \(index)"
        case .received: "received"
        case .damaged(let matched, let floor): "matched \(matched), wants snapshot \(floor)"
        case .conflict(let previousIndex, let conflictTerm, let firstOfTerm):
            "conflict at \(previousIndex): term \(conflictTerm) from \(firstOfTerm)"
        }
    }
}
