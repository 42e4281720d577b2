/// Options that measurements share.
enum BenchOptions {
    static let connections = OptionSpec(
        name: "connections", value: "N[,N…]", summary: "at a time; several: one run each (64)")
    static let pipeline = OptionSpec(
        name: "pipeline", value: "N",
        summary: "requests under way at a time on each connection (1)")
    static let bulk = OptionSpec(
        name: "bulk", value: "N[,N…]", summary: "tasks in one request; 1: one object (1)")
    static let lines = OptionSpec(
        name: "lines", summary: "with --bulk: a task a line (NDJSON), not an array")
    static let payload = OptionSpec(
        name: "payload", value: "BYTES[,BYTES…]", summary: "of each task, as JSON (256)")
    static let rate = OptionSpec(
        name: "rate", value: "N",
        summary: "requests a second at even times; latency counts from when each was due")
    static let seconds = OptionSpec(
        name: "seconds", value: "N", summary: "to be measured (10)")
    static let warmup = OptionSpec(
        name: "warmup", value: "N", summary: "seconds before that (2)")
    static let direction = OptionSpec(
        name: "to", value: "servers|leader|followers|all",
        summary: "nodes that get the load, in turn (servers: those of --server)")
    static let keep = OptionSpec(
        name: "keep", summary: "leave tasks and namespace in the cluster")

    static let maxConnections: Int64 = 10_000
    static let maxPipeline: Int64 = 64
    static let maxPayloadBytes: Int64 = 1 << 20
    static let maxRate: Int64 = 1_000_000
    static let maxSeconds: Int64 = 86_400

    /// Whole numbers separated by commas, each once.
    static func list(
        _ name: String, in range: ClosedRange<Int64>, default preset: Int64,
        _ invocation: Invocation
    ) throws(CommandFailure) -> [Int] {
        guard let text = invocation.value(name) else { return [Int(preset)] }
        var result: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int64(part), range.contains(number) else {
                throw .usage(
                    "--\(name) \(text): expected whole numbers from \(range.lowerBound) to "
                        + "\(range.upperBound), separated by commas")
            }
            if !result.contains(Int(number)) { result.append(Int(number)) }
        }
        return result
    }

    static func direction(_ invocation: Invocation) throws(CommandFailure) -> BenchCluster.Direction
    {
        let names = BenchCluster.Direction.allCases.map(\.rawValue)
        let name = try invocation.choice("to", of: names)
        return name.flatMap(BenchCluster.Direction.init) ?? .servers
    }

    static func seconds(
        _ name: String, default preset: Int64, least: Int64 = 1, _ invocation: Invocation
    ) throws(CommandFailure) -> UInt64 {
        UInt64(try invocation.integer(name, in: least...maxSeconds) ?? preset)
    }
}

/// How many tasks a request has, how large they are, and over how many connections they come: one run.
struct LoadShape: Equatable {
    let connections: Int
    let bulk: Int
    let payloadBytes: Int

    private static let maxRequestBytes = 16 << 20

    /// All combinations of what the options name.
    static func all(_ invocation: Invocation) throws(CommandFailure) -> [LoadShape] {
        let connections = try BenchOptions.list(
            "connections", in: 1...BenchOptions.maxConnections, default: 64, invocation)
        let bulks = try BenchOptions.list(
            "bulk", in: 1...Int64(APILimits.maxBulkTasks), default: 1, invocation)
        let payloads = try BenchOptions.list(
            "payload", in: Int64(RequestTemplate.minPayloadBytes)...BenchOptions.maxPayloadBytes,
            default: 256, invocation)
        guard !invocation.flag("lines") || bulks != [1] else {
            throw .usage("--lines goes with --bulk")
        }
        var shapes: [LoadShape] = []
        for payload in payloads {
            for bulk in bulks {
                guard bulk * (payload + 128) < maxRequestBytes else {
                    throw .usage(
                        "--bulk \(bulk) --payload \(payload): a request has at most 16 MiB")
                }
                shapes += connections.map {
                    LoadShape(connections: $0, bulk: bulk, payloadBytes: payload)
                }
            }
        }
        return shapes
    }

    var description: String {
        "\(connections) connections, \(bulk) tasks a request, \(payloadBytes) bytes of payload"
    }

    func form(lines: Bool) -> RequestTemplate.Form {
        bulk == 1 ? .single : lines ? .lines(bulk) : .array(bulk)
    }
}
