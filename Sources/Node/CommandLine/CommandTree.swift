/// All that the executable can do.
enum CommandTree {
    static let root: CommandSpec = CommandSpec(
        name: "carillon", summary: "a task scheduler cluster without a database",
        subcommands: [
            NodeCommands.node,
            NodeCommands.check,
            SubmitCommand.spec,
            TaskCommands.spec,
            WorkflowCommands.spec,
            ScheduleCommands.spec,
            QueueCommands.spec,
            TemplateCommands.spec,
            NamespaceCommands.spec,
            DeadCommands.spec,
            BulkJobCommands.spec,
            WorkerCommands.spec,
            EventsCommand.spec,
            ClusterCommands.spec,
            BackupCommand.spec,
            RestoreCommand.spec,
            LogCommands.spec,
            BenchCommands.spec,
            CompletionsCommand.spec,
            CommandSpec(
                name: "version", summary: "print the version", usesCluster: false,
                run: { (invocation) throws(CommandFailure) in
                    invocation.console.print("carillon \(ProductVersion.text)")
                    return 0
                }),
        ])
}
