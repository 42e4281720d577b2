/// `carillon node` and `carillon check`.
enum NodeCommands {
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

    private static func load(_ path: String) throws(CommandFailure) -> ClusterConfiguration {
        let environment = try Environment.all()
        do throws(ConfigurationError) {
            return try ClusterConfiguration.load(path: path, environment: environment)
        } catch {
            throw .failed("the configuration can't be used:\n\(error.description)")
        }
    }
}
