import Scheduler

/// One command of an entry, with whoever asked for it.
struct Request {
    var origin: String
    var incarnation: UInt64
    var sequence: UInt64
    var command: Command

    static func all(in entry: [UInt8]) throws(CodecError) -> [Request] {
        var requests: [Request] = []
        for group in try EntryPayload(decoding: entry).groups {
            var body = ByteReader(group.body)
            for _ in 0..<group.count {
                let sequence = try body.uint64()
                let command = try Command(decoding: try body.blob())
                requests.append(
                    Request(
                        origin: group.origin, incarnation: group.incarnation, sequence: sequence,
                        command: command))
            }
        }
        return requests
    }
}
