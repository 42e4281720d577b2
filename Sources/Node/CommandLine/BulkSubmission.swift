/// Sends the lines of a file in chunks, and keeps account of what became of each line.
///
/// A chunk whose reply is lost is sent again only if every task in it has a key; otherwise the run stops there
/// and names the lines whose fate is unknown.
struct BulkSubmission {
    private let file: InputFile
    private let firstLine: Int
    private let client: ClusterClient
    private let console: Console
    private var progress: ProgressBar
    private var line = 0
    private var accepted = 0
    private var refused: [(line: Int, reason: String)] = []
    private var refusedCount = 0
    private var chunk = Chunk()

    private struct Chunk {
        var body: [UInt8] = []
        var lines: [Int] = []
        var everyTaskHasKey = true
    }

    private static let maxChunkTasks = 1_000
    private static let maxChunkBytes = 2 << 20
    /// More refusals than this are counted, not listed.
    private static let maxListedRefusals = 100
    private static let maxTriesWhileBusy = 60

    init(file: InputFile, firstLine: Int, client: ClusterClient, console: Console) {
        self.file = file
        self.firstLine = firstLine
        self.client = client
        self.console = console
        progress = ProgressBar(console: console, totalBytes: file.sizeBytes)
    }

    mutating func run(_ format: Invocation.OutputFormat) throws(CommandFailure) -> Int32 {
        do throws(CommandFailure) {
            try sendAll()
        } catch {
            progress.finish()
            printRefused()
            console.printError(
                "carillon: \(accepted) accepted, \(refusedCount) refused, then stopped")
            if let first = chunk.lines.first, let last = chunk.lines.last {
                console.printError(
                    "  lines \(first) to \(last): not known to be accepted"
                        + (chunk.everyTaskHasKey
                            ? "; they have keys, so --from \(first) is safe"
                            : "; look before you go on with --from \(first)"))
            }
            throw error
        }
        progress.finish()
        printRefused()
        switch format {
        case .table: console.print("\(accepted) accepted, \(refusedCount) refused")
        case .json: console.print("{\"accepted\":\(accepted),\"refused\":\(refusedCount)}")
        }
        return refusedCount == 0 ? 0 : 1
    }

    private mutating func sendAll() throws(CommandFailure) {
        while let bytes = try file.nextLine() {
            line += 1
            if line < firstLine || bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            do {
                let task = try JSONDocument(bytes).root
                if task["key"]?.string == nil { chunk.everyTaskHasKey = false }
            } catch {
                // Left out here: one broken line would spoil the node's reading of all that follow.
                refuse(line, "not JSON: \(error.description)")
                continue
            }
            chunk.body += bytes
            chunk.body.append(0x0A)
            chunk.lines.append(line)
            if chunk.lines.count == Self.maxChunkTasks || chunk.body.count >= Self.maxChunkBytes {
                try sendChunk()
            }
        }
        if !chunk.lines.isEmpty { try sendChunk() }
    }

    private mutating func sendChunk() throws(CommandFailure) {
        var request = ClientRequest.post(
            "/v1/tasks", body: chunk.body, isRepeatable: chunk.everyTaskHasKey)
        request.contentType = "application/x-ndjson"
        request.timeoutMilliseconds = 60_000
        var response = try client.send(request)
        var tries = 1
        // 429: nothing of the chunk was taken in. The node says when to come back.
        while response.status == 429, tries < Self.maxTriesWhileBusy {
            TaskFinder.pause(seconds: response.retryAfterSeconds ?? 1)
            response = try client.send(request)
            tries += 1
        }
        guard response.isSuccess else { throw ProblemText.failure(response) }
        let items = try ClusterClient.json(response)["items"]?.elements ?? []
        guard items.count == chunk.lines.count else {
            throw .failed(
                "the node answered \(items.count) tasks of \(chunk.lines.count); is that a carillon "
                    + "node of this version?")
        }
        for (item, line) in zip(items, chunk.lines) {
            if let error = item["error"], !error.isNull {
                refuse(line, ProblemText.text(error))
            } else {
                accepted += 1
            }
        }
        chunk = Chunk()
        progress.show(accepted: accepted, refused: refusedCount, doneBytes: file.consumedBytes)
    }

    private mutating func refuse(_ line: Int, _ reason: String) {
        refusedCount += 1
        if refused.count < Self.maxListedRefusals { refused.append((line, reason)) }
    }

    private func printRefused() {
        for (line, reason) in refused {
            console.printError("\(file.name):\(line): \(TextTable.printable(reason))")
        }
        if refusedCount > refused.count {
            console.printError("and \(refusedCount - refused.count) lines more")
        }
    }
}
