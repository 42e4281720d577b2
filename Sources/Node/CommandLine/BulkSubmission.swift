/// Sends the lines of a file in chunks, and keeps account of what became of each line.
///
/// A chunk whose reply is lost is sent again only if every task in it has a key; otherwise the run stops there
/// and names the lines whose fate is unknown. What a node has no room for, or a quota holds back, is sent again until it
/// is taken; if nothing is for long, the run stops as well.
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
    /// Of lines that were given up.
    private var fate: String?

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
        /// Of the lines that are accepted or refused.
        var lastSettled = 0

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
    /// Without a line taken meanwhile.
    static let patienceMilliseconds: Int64 = 120_000
    private let patienceMilliseconds: Int64

    init(
        file: InputFile, firstLine: Int, client: ClusterClient, console: Console,
        patienceMilliseconds: Int64 = patienceMilliseconds
    ) {
        self.patienceMilliseconds = patienceMilliseconds
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
            if let fate = fate ?? sent?.fate { console.printError(fate) }
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

    /// Why lines have to be sent again.
    private struct Obstacle {
        /// As in the problem's type.
        let kind: String
        let text: String
        /// What the node asks for.
        let waitMilliseconds: Int64

        init(_ problem: JSONValue) {
            kind = ProblemText.kind(problem) ?? "refused"
            text = ProblemText.text(problem)
            waitMilliseconds = ProblemText.retryAfterMilliseconds(problem) ?? 1_000
        }

        /// Of the whole chunk, perhaps by a proxy in front of the node.
        init(_ response: ClientResponse) {
            kind = String(response.status)
            text = ProblemText.text(response)
            waitMilliseconds = (response.retryAfterSeconds ?? 1) * 1_000
        }
    }

    /// Sends the chunk until every line of it is accepted or refused. A node that is too busy, finds no leader, or has no
    /// room for more has done nothing for the lines that it says so of.
    private mutating func sendChunk() throws(CommandFailure) {
        var takenAt = SystemClock.monotonicMilliseconds()
        if let first = chunk.lines.first, let last = chunk.lines.last {
            sent = Sent(
                first: first.number, last: last.number, everyTaskHasKey: chunk.everyTaskHasKey)
        }
        while !chunk.lines.isEmpty {
            var request = ClientRequest.post(
                "/v1/tasks", body: chunk.body, isRepeatable: chunk.everyTaskHasKey)
            request.contentType = "application/x-ndjson"
            request.timeoutMilliseconds = 60_000
            let response = try client.send(request)
            let count = chunk.lines.count
            let obstacle: Obstacle?
            if response.isSuccess {
                obstacle = try account(for: response)
            } else if ProblemText.saysNothingWasDone(response) {
                obstacle = Obstacle(response)
            } else {
                throw ProblemText.failure(response)
            }
            let now = SystemClock.monotonicMilliseconds()
            if chunk.lines.count < count { takenAt = now }
            guard let obstacle else { break }
            guard now - takenAt < patienceMilliseconds else { throw givenUp(obstacle) }
            pause(obstacle)
        }
        progress.show(accepted: accepted, refused: refusedCount, doneBytes: file.consumedBytes)
        chunk = Chunk()
        sent = nil
    }

    /// Waits as the node asks, but no longer than half a minute: quotas change.
    private mutating func pause(_ obstacle: Obstacle) {
        let start = SystemClock.monotonicMilliseconds()
        let end = start + min(max(1_000, obstacle.waitMilliseconds), 30_000)
        var now = start
        while now < end {
            progress.show(
                accepted: accepted, refused: refusedCount, doneBytes: file.consumedBytes,
                waitsFor: obstacle.kind)
            Pause.take(milliseconds: min(end - now, 1_000))
            now = SystemClock.monotonicMilliseconds()
        }
    }

    /// Nothing was done for the lines that are left, unless one of them is of unknown fate.
    private mutating func givenUp(_ obstacle: Obstacle) -> CommandFailure {
        let time = DurationText.format(patienceMilliseconds)
        if let sent, let first = chunk.lines.first?.number, obstacle.kind != "outcome-unknown" {
            let lines = LineRanges.text(chunk.lines.map(\.number))
            // Lines before the last one that was settled must not be sent again.
            let rest =
                sent.lastSettled < first
                ? "go on with --from \(first)"
                : "send them by themselves; what follows goes on with --from \(sent.last + 1)"
            fate = "  not accepted: \(lines); \(rest)"
            self.sent = nil
        }
        return .failed("no line was taken for \(time): \(obstacle.text)")
    }

    /// Leaves in the chunk what is to be sent again, and says why.
    private mutating func account(
        for response: ClientResponse
    ) throws(CommandFailure) -> Obstacle? {
        let items = try ClusterClient.json(response)["items"]?.elements ?? []
        guard items.count == chunk.lines.count else {
            throw .failed(
                "the node answered \(items.count) tasks of \(chunk.lines.count); is that a carillon "
                    + "node of this version?")
        }
        var again = Chunk()
        var obstacle: Obstacle?
        for (item, line) in zip(items, chunk.lines) {
            guard let error = item["error"], !error.isNull else {
                accepted += 1
                sent?.lastSettled = line.number
                continue
            }
            let isSafeToRepeat =
                ProblemText.saysNothingWasDone(error)
                || line.hasKey && ProblemText.kind(error) == "outcome-unknown"
            guard isSafeToRepeat else {
                refuse(line.number, ProblemText.text(error))
                sent?.lastSettled = line.number
                continue
            }
            again.append(line)
            let found = Obstacle(error)
            // What is not known goes before what is: it is told if the run stops here.
            if obstacle == nil || found.kind == "outcome-unknown" { obstacle = found }
        }
        chunk = again
        return obstacle
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
