import Scheduler

/// `carillon worker run`: the configured handlers in a process of its own, on any machine that reaches the cluster.
enum WorkerRunCommand {
    private static let defaultSlots: Int64 = 8

    static let spec = CommandSpec(
        name: "run", summary: "run configured handlers outside of the nodes; SIGTERM drains it",
        details: [
            "It attaches to the cluster over HTTP and runs the handlers of the configuration, as a node would.",
            "Without --server and CARILLON_SERVER it asks the nodes that the configuration names.",
        ],
        options: [
            OptionSpec(
                name: "config", value: "FILE", summary: "the configuration with the handlers",
                isRequired: true),
            OptionSpec(
                name: "id", value: "ID", summary: "its name; of a node's form, and no node's",
                isRequired: true),
            OptionSpec(name: "slots", value: "N", summary: "attempts at a time (8)"),
            OptionSpec(
                name: "tag", value: "TAG", summary: "takes tasks that ask for it", isRepeated: true),
            OptionSpec(
                name: "handler", value: "NAME",
                summary: "only these, built-in ones as well (default: all configured ones)",
                isRepeated: true),
            OptionSpec(
                name: "log-format", value: "text|json", summary: "of standard error; default text"),
        ],
        examples: ["carillon worker run --config cluster.json --id gpu-1 --slots 2 --tag gpu"],
        run: run)

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let configuration = try NodeCommands.load(invocation.value("config") ?? "")
        let id = invocation.value("id") ?? ""
        guard NameRule.isID(id) else { throw .usage("--id \(id): \(NameRule.id)") }
        let slots =
            try invocation.integer("slots", in: 1...Int64(Limits.maxSlotsPerWorker))
            ?? defaultSlots
        let formatName = invocation.value("log-format") ?? LogFormat.text.rawValue
        guard let format = LogFormat(rawValue: formatName) else {
            throw .usage("--log-format: \"\(formatName)\" is neither text nor json")
        }
        let given = try invocation.client()
        let isGiven =
            invocation.value("server") != nil || Environment.value("CARILLON_SERVER") != nil
        // Before any thread starts: threads inherit the mask.
        Signals.block()
        do throws(IOError) {
            let loop = try Loop()
            let local = LocalWorker(loop: loop, handlers: configuration.handlersByName)
            let handlers = invocation.list("handler")
            let names = handlers.isEmpty ? configuration.handlersByName.keys.sorted() : handlers
            if let unknown = names.first(where: { !local.handlerNames.contains($0) }) {
                return refuse(
                    invocation, "--handler \(unknown): the configuration has none of that name")
            }
            guard !names.isEmpty else {
                return refuse(
                    invocation, "the configuration has no handlers; name built-in ones by --handler"
                )
            }
            let channels = try ClusterChannels(
                loop: loop, servers: isGiven ? given.servers : configuration.nodes.map(\.api),
                token: given.token)
            let worker = AttachedWorker(
                loop: loop, worker: local, channels: channels,
                settings: .init(
                    id: id, slots: Int(slots), tags: invocation.list("tag"), handlers: names),
                log: Log(format: format))
            try loop.onSignal { signal in
                if signal != .hangUp { worker.terminate() }
            }
            loop.run()
            return worker.exitStatus
        } catch {
            throw .failed("the worker can't run: \(error.description)")
        }
    }

    private static func refuse(_ invocation: Invocation, _ reason: String) -> Int32 {
        invocation.console.printError("carillon: \(reason)")
        return 2
    }
}
