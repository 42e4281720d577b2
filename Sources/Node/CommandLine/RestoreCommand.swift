import Raft

/// `carillon restore`: a backup into the empty data directory of the node that founds the cluster anew.
enum RestoreCommand {
    static let spec = CommandSpec(
        name: "restore", summary: "begin a cluster with the state of a backup, or check one",
        details: [
            "Run it on one machine: that of the first node of the configuration by name, which founds the cluster.",
            "Then start all nodes of the configuration, the others with empty data directories. No node of the",
            "old cluster may be among them. --check reads FILE to its last byte and says what it holds.",
        ],
        operands: [OperandSpec(name: "FILE")],
        options: [
            OptionSpec(name: "config", value: "FILE", summary: "the cluster's configuration"),
            OptionSpec(
                name: "id", value: "ID", summary: "the node that this is: the first one by name"),
            OptionSpec(
                name: "data", value: "DIR",
                summary: "where nodes keep their state (default: the configured dataDirectory)"),
            OptionSpec(name: "check", summary: "only verify FILE; restores nothing"),
            OptionSpec(
                name: "output", short: "o", value: "table|json",
                summary: "default: table on a terminal, json otherwise"),
        ], usesCluster: false,
        examples: [
            "carillon restore --check state.snapshot",
            "carillon restore state.snapshot --config cluster.json --id n1",
        ], run: run)

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let path = invocation.operands[0]
        if invocation.flag("check") {
            let others = ["config", "id", "data"].filter { invocation.value($0) != nil }
            guard others.isEmpty else {
                throw .usage("--check restores nothing, so --\(others[0]) means nothing with it")
            }
            BackupPresentation(try read(path)).print(as: format, path: path, on: invocation.console)
            return 0
        }
        guard let configurationPath = invocation.value("config"), let id = invocation.value("id")
        else { throw .usage("--config FILE and --id ID are required, or --check") }
        let configuration = try NodeCommands.load(configurationPath)
        try checkFounder(id, configuration)
        let root = invocation.value("data") ?? configuration.dataDirectory
        do throws(StorageError) {
            // Before a large file is read.
            try RestoredDirectory.checkVacancy(root: root, node: id, system: LocalFileSystem())
        } catch {
            throw .failed(error.finding)
        }
        let contents = try read(path)
        let restored: RestoredDirectory
        do throws(StorageError) {
            restored = try RestoredDirectory(
                contents, root: root, cluster: configuration.cluster, node: id)
        } catch {
            throw .failed(error.finding)
        }
        BackupPresentation(contents).print(as: format, path: path, on: invocation.console)
        let others = configuration.nodes.map(\.id).filter { $0 != id }.sorted()
        invocation.console.printError(
            "restored to \(restored.path). Start \(id)"
                + (others.isEmpty
                    ? "." : ", and with empty data directories \(others.joined(separator: ", "))."))
        return 0
    }

    /// Any other node waits for this one to found the cluster, and its state would be in the way.
    private static func checkFounder(
        _ id: String, _ configuration: ClusterConfiguration
    ) throws(CommandFailure) {
        let names = configuration.nodes.map(\.id)
        guard names.contains(id) else {
            throw .failed(
                "the configuration has no node \"\(id)\", only \(names.joined(separator: ", "))")
        }
        guard let founder = names.min(), founder != id else { return }
        throw .failed(
            "\(founder) founds the cluster of this configuration, being the first by name: restore there, and start "
                + "\(id) with an empty data directory")
    }

    private static func read(_ path: String) throws(CommandFailure) -> BackupContents {
        let (folder, name) = BackupFile.place(of: path)
        do throws(StorageError) {
            return try BackupContents(name, in: folder)
        } catch {
            guard error.isAboutContent else { throw .failed(error.finding) }
            if case .unsupportedVersion = error { throw .failed(error.finding) }
            throw .failed("not a sound backup: \(error.finding)")
        }
    }
}
