/// What every measurement begins with and ends with: the cluster, the namespace, and the report.
struct BenchSession {
    let space: BenchSpace
    let cluster: BenchCluster
    let direction: BenchCluster.Direction
    let endpoints: [Endpoint]
    let targets: [SocketAddress]
    let head: RequestHead
    private let console: Console
    private let format: Invocation.OutputFormat
    private let keeps: Bool

    /// Nothing is changed yet. What the options name is checked before.
    ///
    /// - Parameter direction: nil: as the command line says.
    init(
        _ invocation: Invocation, to given: BenchCluster.Direction? = nil
    ) throws(CommandFailure) {
        format = try invocation.output()
        console = invocation.console
        keeps = invocation.flag("keep")
        if let given {
            direction = given
        } else {
            direction = try BenchOptions.direction(invocation)
        }
        space = try BenchSpace(invocation)
        cluster = try BenchCluster.read(space.client)
        endpoints = try cluster.endpoints(direction, servers: space.client.servers)
        targets = try BenchCluster.addresses(endpoints)
        head = RequestHead(space.client, namespace: space.name, to: endpoints)
    }

    /// Makes the namespace, measures, and removes it whatever came of that.
    ///
    /// - Parameter measure: adds its runs to the report.
    func run(
        _ name: String, settings: (inout BenchFigures) -> Void,
        measure: (inout BenchReport) throws(CommandFailure) -> Void
    ) throws(CommandFailure) -> Int32 {
        var report = BenchReport(name)
        report.settings.add("nodes", "nodes", .count(UInt64(cluster.members.count)))
        report.settings.add("leader", "leader", .text(cluster.leader))
        report.settings.add(
            "to", "to",
            .text("\(direction.rawValue) (\(endpoints.map(\.description).joined(separator: " ")))"))
        settings(&report.settings)
        try space.make()
        let outcome: Result<Void, CommandFailure>
        do throws(CommandFailure) {
            outcome = .success(try measure(&report))
        } catch {
            outcome = .failure(error)
        }
        if !report.runs.isEmpty { report.print(format, on: console) }
        if !keeps {
            do throws(CommandFailure) {
                try space.remove()
            } catch {
                console.printError(
                    "carillon: namespace \(space.name) is not removed: \(error.message)\n"
                        + "  carillon bench clean --namespace \(space.name) tries it again")
                if case .success = outcome { return 1 }
            }
        }
        try outcome.get()
        return 0
    }

    /// How far it is, for whoever waits at a terminal.
    func tell(_ text: String) {
        if console.isErrorTerminal { console.printError("carillon bench: \(text)") }
    }

    /// Runs one load to its end on a loop of its own.
    func drive(_ loop: Loop, _ generator: LoadGenerator) throws(CommandFailure) -> GeneratorUsage {
        let before = GeneratorUsage.now()
        var failure: String?
        generator.start { reason in
            failure = reason
            loop.stop()
        }
        loop.run()
        if let failure { throw .failed(failure) }
        return GeneratorUsage.now().since(before)
    }

    /// Attempts that the cluster runs at a time; more wait for a slot.
    func slots() throws(CommandFailure) -> UInt64 {
        let workers = try ItemList.fetch("/v1/workers", limit: 1_000, client: space.client)
        return workers.items.reduce(0) { sum, worker in
            guard worker["state"]?.string == "live" else { return sum }
            return sum + UInt64(max(0, worker["slots"]?.integer ?? 0))
        }
    }

    static func loop() throws(CommandFailure) -> Loop {
        do throws(IOError) {
            return try Loop()
        } catch {
            throw .failed(error.description)
        }
    }

    static func nanoseconds(_ seconds: UInt64) -> UInt64 { seconds * 1_000_000_000 }
}
