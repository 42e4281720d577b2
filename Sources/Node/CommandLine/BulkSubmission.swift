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
    private var sent: Sent?

    /// Lines on their way, and those of them that have to go once more.
    private struct Chunk {
        struct Line {
            let number: Int
            let bytes: [UInt8]
            let hasKey: Bool
        }

        var lines: [Line] = []
        var bytes = 0

        mutating func append(_ line: Line) {
            lines.append(line)
            bytes += line.bytes.count + 1
        }

        var everyTaskHasKey: Bool { lines.allSatisfy(\.hasKey) }

        var body: [UInt8] {
            var body: [UInt8] = []
            body.reserveCapacity(bytes)
            for line in lines {
                body += line.bytes
                body.append(0x0A)
            }
            return body
        }
    }

    /// The chunk under way as it was at first: some of its lines may be accepted by now.
    private struct Sent {
        let first: Int
        let last: Int
        let everyTaskHasKey: Bool

        var fate: String {
            "  lines \(first) to \(last): not all known to be accepted"
                + (everyTaskHasKey
                    ? "; they have keys, so --from \(first) is safe"
                    : "; look before you go on with --from \(first)")
        }
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
            if let sent { console.printError(sent.fate) }
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
            let hasKey: Bool
            do {
                hasKey = try JSONDocument(bytes).root["key"]?.string != nil
            } catch {
                // Left out here: one broken line would spoil the node's reading of all that follow.
                refuse(line, "not JSON: \(error.description)")
                continue
            }
            chunk.append(Chunk.Line(number: line, bytes: bytes, hasKey: hasKey))
            if chunk.lines.count == Self.maxChunkTasks || chunk.bytes >= Self.maxChunkBytes {
                try sendChunk()
            }
        }
        try sendChunk()
    }

    /// Sends the chunk until every line of it is accepted or refused. A node that is too busy, or finds no
    /// leader, has done nothing for the lines that it says so of.
    private mutating func sendChunk() throws(CommandFailure) {
        var tries = 0
        if let first = chunk.lines.first, let last = chunk.lines.last {
            sent = Sent(
                first: first.number, last: last.number, everyTaskHasKey: chunk.everyTaskHasKey)
        }
        while !chunk.lines.isEmpty {
            tries += 1
            var request = ClientRequest.post(
                "/v1/tasks", body: chunk.body, isRepeatable: chunk.everyTaskHasKey)
            request.contentType = "application/x-ndjson"
            request.timeoutMilliseconds = 60_000
            let response = try client.send(request)
            if response.isSuccess {
                try account(for: response, isLastTry: tries == Self.maxTriesWhileBusy)
            } else if tries == Self.maxTriesWhileBusy || !ProblemText.saysNothingWasDone(response) {
                throw ProblemText.failure(response)
            }
            progress.show(accepted: accepted, refused: refusedCount, doneBytes: file.consumedBytes)
            if !chunk.lines.isEmpty { TaskFinder.pause(seconds: response.retryAfterSeconds ?? 1) }
        }
        chunk = Chunk()
        sent = nil
    }

    /// Leaves in the chunk what is to be sent again.
    private mutating func account(
        for response: ClientResponse, isLastTry: Bool
    ) throws(CommandFailure) {
        let items = try ClusterClient.json(response)["items"]?.elements ?? []
        guard items.count == chunk.lines.count else {
            throw .failed(
                "the node answered \(items.count) tasks of \(chunk.lines.count); is that a carillon "
                    + "node of this version?")
        }
        var again = Chunk()
        for (item, line) in zip(items, chunk.lines) {
            guard let error = item["error"], !error.isNull else {
                accepted += 1
                continue
            }
            let isSafeToRepeat =
                ProblemText.saysNothingWasDone(error)
                || line.hasKey && ProblemText.kind(error) == "outcome-unknown"
            if isSafeToRepeat, !isLastTry {
                again.append(line)
            } else {
                refuse(line.number, ProblemText.text(error))
            }
        }
        chunk = again
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
