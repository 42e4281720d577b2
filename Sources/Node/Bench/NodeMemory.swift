/// What a node holds in memory, by its own metrics.
enum NodeMemory {
    private static let metric = "process_resident_memory_bytes"

    static func residentBytes(
        of node: Endpoint, _ client: ClusterClient
    ) throws(CommandFailure) -> UInt64 {
        let page = try client.pinned(to: node).sendExpectingSuccess(.get("/metrics"))
        guard let bytes = value(in: page.body) else {
            throw .failed("http://\(node): its metrics do not tell \(metric)")
        }
        return bytes
    }

    /// From Prometheus text.
    static func value(in page: [UInt8]) -> UInt64? {
        for line in page.split(separator: 0x0A) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count == 2, words[0] == metric, let value = Double(words[1]),
                value >= 0, value < 1e18
            else { continue }
            return UInt64(value)
        }
        return nil
    }
}
