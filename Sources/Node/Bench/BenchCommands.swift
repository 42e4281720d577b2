/// `carillon bench …`.
enum BenchCommands {
    static let spec = CommandSpec(
        name: "bench", summary: "measure a running cluster",
        details: [
            "Tasks are made in a namespace of their own (\"bench\", or --namespace), which is removed afterwards.",
            "What each measures, and how to read it: docs/BENCHMARKS.md.",
        ],
        subcommands: [
            SubmitBench.spec, RunBench.spec, PrecisionBench.spec,
            FailoverBench.spec, ScheduleBench.spec, MemoryBench.spec,
            CommandSpec(
                name: "clean", summary: "remove what an interrupted measurement has left",
                details: ["All tasks and schedules of the namespace, and the namespace."],
                run: clean),
        ])

    private static func clean(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let space = try BenchSpace(invocation)
        try space.remove()
        if format == .table { invocation.console.print("namespace \(space.name) is gone") }
        return 0
    }
}
