import Glibc

/// `carillon backup`: the state of a running cluster into a file.
enum BackupCommand {
    static let spec = CommandSpec(
        name: "backup", summary: "save the cluster's state to a file, verified",
        details: [
            "Everything acknowledged before the command began is in it: tasks, schedules, remembered keys, and",
            "what runs at that moment. Only one node is asked; if it fails, the next one, from the beginning,",
            "but not if it ends while it writes the snapshot: its disk may be full, and the next one's, too.",
            "FILE appears when it is whole: until then it is FILE.partial. Only its owner may read it.",
        ],
        operands: [OperandSpec(name: "FILE")],
        options: [
            OptionSpec(name: "force", summary: "replace FILE if it is there"),
            OptionSpec(
                name: "wait", value: "D",
                summary: "how long a node may take to write the snapshot; default 60s"),
        ],
        examples: ["carillon backup /var/backups/carillon.snapshot --force"], run: run)

    private static let defaultWaitMilliseconds: Int64 = 60_000
    /// Every node is asked so often before it is given up.
    private static let rounds = 3
    private static let pauseMilliseconds: Int64 = 1_000

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let client = try invocation.client()
        let wait = try invocation.durationMilliseconds("wait") ?? defaultWaitMilliseconds
        let path = invocation.operands[0]
        let (folder, name) = BackupFile.place(of: path)
        guard !name.isEmpty else { throw .usage("\(path) names a directory, not a file") }
        try checkPlace(path, mayReplace: invocation.flag("force"))
        var reasons: [String] = []
        for round in 0..<rounds {
            if round > 0 { Pause.take(milliseconds: pauseMilliseconds) }
            for server in client.servers {
                do throws(Setback) {
                    let saved = try save(
                        from: client.pinned(to: server), to: name, in: folder, wait: wait,
                        console: invocation.console)
                    saved.print(as: format, path: path, on: invocation.console)
                    return 0
                } catch {
                    switch error {
                    case .here(let failure): throw failure
                    case .lost(let failure):
                        throw .failed(
                            "http://\(server): \(failure.message). No other node is asked, as it may end in the same way: "
                                + "look at this one's log first")
                    case .there(let failure):
                        let reason = "http://\(server): \(failure.message)"
                        if !reasons.contains(reason) { reasons.append(reason) }
                    }
                }
            }
        }
        throw .failed("no node gave a backup:\n  " + reasons.joined(separator: "\n  "))
    }

    /// The file gets its name by a rename, which would as well put it in the place of `/dev/stdout`.
    private static func checkPlace(_ path: String, mayReplace: Bool) throws(CommandFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .failed("\(path) is there already and no ordinary file; choose another name")
        }
        guard mayReplace else {
            throw .failed("\(path) is there already; choose another name, or --force")
        }
    }

    /// Why an attempt came to nothing.
    private enum Setback: Error {
        /// Another node would not help: this machine's disk, or its user's rights.
        case here(CommandFailure)
        case there(CommandFailure)
        /// The node may have ended over it, for lack of space, and so may the next one, and the one after that: a backup
        /// must not take a cluster down.
        case lost(CommandFailure)
    }

    private static func save(
        from client: ClusterClient, to name: String, in folder: StorageFolder, wait: Int64,
        console: Console
    ) throws(Setback) -> BackupPresentation {
        let transfer = BackupTransfer(client: client)
        let offer: BackupTransfer.Offer
        do throws(BackupTransfer.Refusal) {
            offer = try transfer.begin(timeoutMilliseconds: wait)
        } catch {
            switch error {
            case .refused(let failure): throw .there(failure)
            case .fell(let failure): throw .lost(failure)
            }
        }
        defer { transfer.end(offer) }
        var file: BackupFile
        do throws(StorageError) {
            file = try BackupFile(
                name, in: folder, snapshot: offer.snapshot, totalBytes: offer.totalBytes)
        } catch {
            guard case .inUse(let path, _) = error else { throw .here(.failed(error.finding)) }
            throw .here(.failed("another backup is being written to \(path); choose another name"))
        }
        do throws(Setback) {
            try fetch(offer, transfer, into: &file, console)
            return BackupPresentation(try finish(file, offer), offer: offer)
        } catch {
            do throws(StorageError) {
                try file.discard()
            } catch {
                console.printError("carillon: what was fetched is left behind: \(error.finding)")
            }
            throw error
        }
    }

    private static func fetch(
        _ offer: BackupTransfer.Offer, _ transfer: BackupTransfer, into file: inout BackupFile,
        _ console: Console
    ) throws(Setback) {
        var bar = ByteProgress(console: console, totalBytes: offer.totalBytes)
        defer { bar.finish() }
        do throws(BackupTransfer.Failure) {
            try transfer.fetch(offer, into: &file) { bar.show($0) }
        } catch {
            switch error {
            case .disk(let error): throw .here(.failed(error.finding))
            case .node(let failure): throw .there(failure)
            }
        }
    }

    private static func finish(
        _ file: BackupFile, _ offer: BackupTransfer.Offer
    ) throws(Setback) -> BackupContents {
        do throws(StorageError) {
            return try file.finish(checksum: offer.checksum)
        } catch {
            throw .here(.failed(error.finding))
        }
    }
}
