import Raft

/// What a shard tells its parent: one line each.
enum ShardReply: Equatable {
    case event(StoryEvent)
    /// The seed ran to its end.
    case done([UInt64])
    case broken(BrokenRule)

    var line: String {
        switch self {
        case .event(let event):
            "event\t\(event.time)\t\(event.kind.rawValue)\t\(Self.escape(event.text))"
        case .done(let words):
            "done\t" + words.map { String($0) }.joined(separator: "\t")
        case .broken(let broken):
            "broken\t\(broken.time)\t\(Self.escape(broken.rule))\t\(Self.escape(broken.detail))"
        }
    }

    /// nil: not a line of a shard.
    init?(line: Substring) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        switch fields.first {
        case "event":
            guard fields.count == 4, let time = UInt64(fields[1]),
                let kind = UInt8(fields[2]).flatMap(StoryEvent.Kind.init(rawValue:))
            else { return nil }
            self = .event(StoryEvent(time: time, kind: kind, text: String(fields[3])))
        case "done":
            let words = fields.dropFirst().compactMap { UInt64($0) }
            guard words.count == fields.count - 1 else { return nil }
            self = .done(words)
        case "broken":
            guard fields.count == 4, let time = UInt64(fields[1]) else { return nil }
            self = .broken(
                BrokenRule(time: time, rule: String(fields[2]), detail: String(fields[3])))
        default: return nil
        }
    }

    private static func escape(_ text: String) -> String {
        String(text.map { $0 == "\t" || $0.isNewline ? " " : $0 })
    }
}

/// How a run ended that did not hold what it should.
struct BrokenRule: Equatable {
    var time: Nanoseconds
    var rule: String
    var detail: String
}
