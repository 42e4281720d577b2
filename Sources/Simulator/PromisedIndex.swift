import Raft

extension Message.AppendReply {
    /// What the reply says to be on the sender's disk; nil: nothing.
    var promisedIndex: Index? {
        switch outcome {
        case .matched(let index), .damaged(let index, _): index
        case .received, .conflict: nil
        }
    }
}
