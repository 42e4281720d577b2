/// A step on the way of a task through a node, or a few that belong together.
enum Part: String, CaseIterable {
    case http, json, codec, log, crc, peer, apply, due, ring, events, text, histogram

    var summary: String {
        switch self {
        case .http: "requests taken apart, heads of answers written"
        case .json: "submissions read into tasks, alone and in arrays of 1,000; answers written"
        case .codec: "commands and log entries, to bytes and back"
        case .log: "log entries laid out as they go to disk; then with the disk, synced"
        case .crc: "the checksum of everything that is stored or sent"
        case .peer: "messages between nodes, to bytes and back"
        case .apply: "commands applied to the state machine"
        case .due: "the queue of what is due, with 1,000,000 tasks"
        case .ring: "the ring that finds a worker for a routing key"
        case .events: "what happened, held and told"
        case .text: "UTF-8, checked while JSON is read"
        case .histogram: "a duration recorded"
        }
    }

    /// Throws if the disk fails.
    func measure(_ meter: inout PartMeter) throws(StorageError) {
        switch self {
        case .http: HTTPPart().measure(&meter)
        case .json: JSONPart().measure(&meter)
        case .codec: CodecPart().measure(&meter)
        case .log: try LogPart().measure(&meter)
        case .crc: ChecksumPart.measure(&meter)
        case .peer: PeerPart().measure(&meter)
        case .apply: ApplyPart.measure(&meter)
        case .due: DueQueuePart.measure(&meter)
        case .ring: RingPart.measure(&meter)
        case .events: EventPart.measure(&meter)
        case .text: TextPart.measure(&meter)
        case .histogram: HistogramPart.measure(&meter)
        }
    }
}
