/// `carillon cluster …`.
enum ClusterCommands {
    static let spec = CommandSpec(
        name: "cluster", summary: "members and leadership",
        subcommands: [
            CommandSpec(
                name: "status", summary: "show the members as one node sees them", run: status),
            MemberCommands.add, MemberCommands.remove,
            CommandSpec(
                name: "transfer", summary: "hand leadership over, to a given member or to the best",
                operands: [OperandSpec(name: "ID", isOptional: true)], run: transfer),
        ])

    private static func status(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        // The node's own view: it answers without a leader as well, when one needs it most.
        let cluster = try invocation.client().json(.get("/v1/cluster"))
        guard format == .table else {
            invocation.console.write(cluster.raw + [0x0A])
            return 0
        }
        let console = invocation.console
        let leader = cluster["leader"]?.string
        console.print(
            "cluster \(cluster.shown("cluster")), seen by \(cluster.shown("node")): "
                + (leader.map { "leader \($0)" } ?? Style.bad.applied(to: "no leader", on: console))
                + ", term \(cluster.shown("term")), commit \(cluster.shown("commit"))"
                + ", applied \(cluster.shown("applied"))")
        if let problem = cluster["problem"]?.string { console.print(problem) }
        if cluster["changing"]?.bool == true {
            console.print(
                cluster["joint"]?.bool == true
                    ? "the members are changing: old and new majorities decide together"
                    : "the members are changing")
        }
        var table = TextTable(["ID", "ROLE", "ALIVE", "API", "PEER", "MATCH", "LAG"])
        for member in cluster["members"]?.elements ?? [] {
            let role = member.shown("role")
            let isAlive = member["alive"]?.bool
            table.append([
                .init(member.shown("id")),
                .init(
                    role + (member["change"]?.string.map { ", \($0)" } ?? ""), .of(state: role)),
                .init(isAlive == false ? "no" : "yes", isAlive == false ? .bad : .good),
                .init(member.shown("api")), .init(member.shown("peer")),
                .init(member.shown("match")), .init(member.shown("lag")),
            ])
        }
        table.print(on: console)
        return 0
    }

    private static func transfer(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        var writer = JSONWriter()
        writer.beginObject()
        if let id = invocation.operands.first { writer.field("to", id) }
        writer.endObject()
        let response = try invocation.client().sendExpectingSuccess(
            .post("/v1/cluster/transfer", body: writer.bytes))
        switch format {
        case .table:
            let reply = response.body.isEmpty ? nil : try ClusterClient.json(response)
            let leader = reply?["leader"]?.string ?? invocation.operands.first
            invocation.console.print("leadership handed over" + (leader.map { " to \($0)" } ?? ""))
        case .json where !response.body.isEmpty:
            invocation.console.write(response.body + [0x0A])
        case .json: break
        }
        return 0
    }
}
