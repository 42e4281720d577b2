import Raft

/// `carillon log …`: looking into the files of a node that is not running.
enum LogCommands {
    static let spec = CommandSpec(
        name: "log", summary: "the files of a stopped node", usesCluster: false,
        subcommands: [
            CommandSpec(
                name: "inspect",
                summary: "show segments, hard state, snapshots and damage; changes nothing",
                details: [
                    "DIR is the node's own directory, <dataDirectory>/<id>. The node must not be running.",
                    "Exit status: 0 if everything is as it was written, 1 if something is damaged.",
                ],
                operands: [OperandSpec(name: "DIR")],
                options: [
                    OptionSpec(name: "entries", summary: "show every batch and entry of the log"),
                    OptionSpec(
                        name: "output", short: "o", value: "table|json",
                        summary: "default: table on a terminal, json otherwise"),
                ], usesCluster: false, examples: ["carillon log inspect data/n1 --entries"],
                run: inspect)
        ])

    private static func inspect(_ invocation: Invocation) throws(CommandFailure) -> Int32 {
        let format = try invocation.output()
        let listing = invocation.flag("entries") ? LogListing() : nil
        let inspection: Inspection
        do throws(StorageError) {
            inspection = try Inspection(
                directory: invocation.operands[0],
                observer: listing.map { listing in { listing.add($0) } })
        } catch {
            throw .failed(error.description)
        }
        switch format {
        case .table: InspectionTable(inspection, listing).print(on: invocation.console)
        case .json:
            var writer = JSONWriter()
            writer.put(inspection, listing)
            invocation.console.write(writer.bytes + [0x0A])
        }
        return inspection.isSound ? 0 : 1
    }
}

/// The batches of a log, for `--entries`.
final class LogListing {
    /// One line: a batch, one of its facts, or one of its entries.
    struct Line {
        var segment: String
        var offset: Int
        var kind: String
        var index: Index?
        var term: Term?
        var payloadBytes: Int?
        var detail: String?
    }

    private(set) var lines: [Line] = []

    func add(_ observation: LogRecovery.Observation) {
        let batch = observation.batch
        func add(
            _ kind: String, index: Index? = nil, term: Term? = nil, payloadBytes: Int? = nil,
            detail: String? = nil
        ) {
            lines.append(
                Line(
                    segment: observation.segment, offset: observation.range.lowerBound, kind: kind,
                    index: index, term: term, payloadBytes: payloadBytes, detail: detail))
        }
        if let problem = batch.problem { add("damage", detail: problem) }
        for fact in batch.facts {
            switch fact {
            case .hardState(let hardState):
                add(
                    "hardState", term: hardState.term,
                    detail: "vote \(hardState.vote?.description ?? "none")")
            case .snapshot(let mark, let resetsLog):
                add(
                    "snapshot", index: mark.index, term: mark.term,
                    detail: resetsLog ? "resets the log" : nil)
            case .truncate(let index): add("truncate", index: index)
            case .termStart(let index, let term): add("termStart", index: index, term: term)
            case .entry: break
            }
        }
        for entry in batch.entries {
            switch entry.payload {
            case .noop: add("noop", index: entry.index, term: entry.term)
            case .command(let bytes):
                add("command", index: entry.index, term: entry.term, payloadBytes: bytes.count)
            case .configuration(let configuration):
                add(
                    "configuration", index: entry.index, term: entry.term,
                    detail: Self.text(configuration))
            case .lost: add("lost", index: entry.index, term: entry.term)
            }
        }
        let found = Set(batch.entries.map(\.index))
        for index in observation.lost.map(Array.init) ?? [] where !found.contains(index) {
            add("lost", index: index)
        }
        if batch.isLast { add("seal") }
    }

    static func text(_ configuration: Configuration) -> String {
        func list(_ name: String, _ ids: [NodeID]) -> String? {
            ids.isEmpty ? nil : name + " " + ids.map(\.description).joined(separator: " ")
        }
        let parts = [
            list("voters", configuration.voters), list("outgoing", configuration.outgoing),
            list("learners", configuration.learners),
        ]
        let text = parts.compactMap { $0 }.joined(separator: ", ")
        return text.isEmpty ? "nobody" : text
    }
}
