/// `carillon node` and `carillon check`.
enum NodeCommands {
    static let node = CommandSpec(
        name: "node", summary: "run a node in the foreground; SIGTERM drains it and ends it with 0",
        options: [
            OptionSpec(
                name: "config", value: "FILE", summary: "the cluster's configuration",
                isRequired: true),
            OptionSpec(
                name: "id", value: "ID", summary: "which of the configured nodes this is",
                isRequired: true),
            OptionSpec(
                name: "data", value: "DIR",
                summary: "where nodes keep their state (default: the configured dataDirectory)"),
            OptionSpec(
                name: "join",
                summary:
                    "a new node asks to be taken into the running cluster, and never founds one"),
            OptionSpec(
                name: "log-format", value: "text|json", summary: "of standard error; default text"),
        ], usesCluster: false,
        run: { (invocation) throws(CommandFailure) in
            let configuration = try load(invocation.value("config") ?? "")
            let id = invocation.value("id") ?? ""
            guard configuration.member(id) != nil else {
                let known = configuration.nodes.map(\.id).joined(separator: ", ")
                throw .failed("the configuration has no node \"\(id)\", only \(known)")
            }
            let formatName = invocation.value("log-format") ?? LogFormat.text.rawValue
            guard let format = LogFormat(rawValue: formatName) else {
                throw .usage("--log-format: \"\(formatName)\" is neither text nor json")
            }
            return NodeProcess.run(
                configuration: configuration, id: id,
                dataDirectory: invocation.value("data") ?? configuration.dataDirectory,
                logFormat: format, joins: invocation.flag("join"))
        })

    static let check = CommandSpec(
        name: "check", summary: "validate a configuration, every error with its place",
        operands: [OperandSpec(name: "FILE")], usesCluster: false,
        run: { (invocation) throws(CommandFailure) in
            let path = invocation.operands[0]
            let configuration = try load(path)
            let nodes = configuration.nodes.map(\.id).joined(separator: ", ")
            invocation.console.print(
                "\(path): ok: cluster \(configuration.cluster), nodes \(nodes)")
            return 0
        })

    static func load(_ path: String) throws(CommandFailure) -> ClusterConfiguration {
        let environment = try Environment.all()
        do throws(ConfigurationError) {
            return try ClusterConfiguration.load(path: path, environment: environment)
        } catch {
            throw .failed("the configuration can't be used:\n\(error.description)")
        }
    }
}
