import Glibc
import Raft
import Scheduler

/// `carillon node`: from a configuration to an exit status.
enum NodeProcess {
    /// Runs until SIGTERM (0) or until the node can't go on (1). Messages go to standard error.
    static func run(
        configuration: ClusterConfiguration, id: String, dataDirectory: String,
        logFormat: LogFormat,
        joins: Bool
    ) -> Int32 {
        LargeBuffers.keepApart()
        // Before any thread starts: threads inherit the mask.
        Signals.block()
        let log = Log(format: logFormat)
        guard let member = configuration.member(id) else {
            let known = configuration.nodes.map(\.id).joined(separator: ", ")
            log.error(
                "no such node in the configuration", ["id": .text(id), "known": .text(known)])
            return 1
        }
        do {
            let loop = try Loop()
            let mailbox = try Mailbox<Node.Mail>()
            let opened = try NodeStorage.open(
                root: dataDirectory, cluster: configuration.cluster, node: NodeID(id),
                initial: Configuration(voters: []),
                onLog: { mailbox.post(.log($0)) },
                onSnapshot: { mailbox.post(Node.mail(of: $0)) })
            let state = try opened.state.map { bytes in try Scheduler(snapshot: bytes) }
            let node = try Node(
                configuration, member: member, storage: opened.storage, recovered: opened.recovered,
                state: state ?? Scheduler(), loop: loop, mailbox: mailbox, joins: joins,
                log: log)
            log.info(
                "node started",
                [
                    "node": .text(id), "cluster": .text(configuration.cluster),
                    "api": .text(member.api.description), "peer": .text(member.peer.description),
                    "directory": .text(opened.storage.directory.id.description),
                    "incarnation": .integer(Int64(opened.storage.directory.incarnation)),
                    "lastIndex": .integer(
                        Int64(opened.recovered.snapshot.index)
                            + Int64(opened.recovered.entries.count)),
                ])
            report(opened.findings, to: log)
            node.run()
            return node.exitStatus
        } catch {
            log.error("the node can't start", ["reason": .text("\(error)")])
            return 1
        }
    }

    /// What the node goes on in spite of; without these lines it would never be known that a disk decays.
    private static func report(_ findings: LogFindings, to log: Log) {
        if let torn = findings.tornWrite {
            log.info(
                "cut off a write that a crash had torn; nobody had been told of it",
                [
                    "file": .text(torn.path), "offset": .integer(Int64(torn.range.lowerBound)),
                    "bytes": .integer(Int64(torn.range.count)),
                ])
        }
        if let problem = findings.snapshotProblem {
            log.warning(
                "the snapshot is damaged, and the node goes on with one of its peers",
                ["problem": .text(problem.finding)])
        }
        for damage in findings.damages {
            let lost = damage.lost.map { "\($0.lowerBound)-\($0.upperBound)" }
            log.warning(
                lost == nil
                    ? "the log is damaged, where nothing was lost by it"
                    : "the log is damaged, and the entries that were lost are fetched from the other nodes",
                [
                    "file": .text(damage.path), "offset": .integer(Int64(damage.offset)),
                    "problem": .text(damage.problem), "lost": .text(lost ?? "none"),
                ])
        }
    }
}
