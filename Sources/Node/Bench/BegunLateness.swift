/// How late handlers began, as the nodes' own clocks and metrics tell: without the way on which a client hears of it. Buckets
/// count, so a quantile is told as the bound above it.
struct BegunLateness: Equatable {
    private static let metric = "carillon_start_delay_seconds_bucket{le=\""

    /// Of each node, how many were at most so late, by seconds.
    private var nodes: [[Double: UInt64]] = []

    /// Of all attempts that the voters have begun so far; nil if one of them can't be asked. Workers that are attached tell none.
    static func read(_ session: BenchSession) -> BegunLateness? {
        var result = BegunLateness()
        for member in session.cluster.members {
            let client = session.space.client.pinned(to: member.api)
            guard let page = try? client.sendExpectingSuccess(.get("/metrics")) else { return nil }
            result.addNode(page.body)
        }
        return result
    }

    /// From its metrics, which are Prometheus text.
    mutating func addNode(_ page: [UInt8]) {
        var counts: [Double: UInt64] = [:]
        for line in page.split(separator: 0x0A) {
            let text = String(decoding: line, as: UTF8.self)
            guard text.hasPrefix(Self.metric) else { continue }
            let parts = text.dropFirst(Self.metric.count).split(separator: "\"} ")
            // "+Inf" is a number to it.
            guard parts.count == 2, let bound = Double(parts[0]), let count = UInt64(parts[1])
            else { continue }
            counts[bound] = count
        }
        nodes.append(counts)
    }

    /// nil if a node has begun anew since.
    func since(_ earlier: BegunLateness) -> BegunLateness? {
        guard nodes.count == earlier.nodes.count else { return nil }
        var result = self
        for node in nodes.indices {
            for (bound, count) in earlier.nodes[node] {
                guard let now = nodes[node][bound], now >= count else { return nil }
                result.nodes[node][bound] = now - count
            }
        }
        return result
    }

    /// nil if none has begun, or it is beyond the last bound.
    func boundMilliseconds(ofQuantile quantile: Double) -> Int64? {
        let counts = nodes.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        guard let all = counts[.infinity], all > 0 else { return nil }
        let rank = (quantile * Double(all)).rounded(.up)
        let bound = counts.filter { Double($0.value) >= rank }.keys.min()
        return bound.flatMap { $0.isFinite ? Int64(($0 * 1_000).rounded(.up)) : nil }
    }

    /// nil: it is not known.
    static func add(_ lateness: BegunLateness?, to figures: inout BenchFigures) {
        for (name, quantile) in [("P50", 0.5), ("P99", 0.99), ("P999", 0.999)] {
            figures.add(
                "begun within \(name.lowercased())", "begunWithin\(name)Milliseconds",
                .milliseconds(lateness?.boundMilliseconds(ofQuantile: quantile)))
        }
    }
}
