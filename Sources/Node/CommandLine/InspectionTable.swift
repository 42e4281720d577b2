import Raft

/// An inspection as text for people.
struct InspectionTable {
    private let inspection: Inspection
    private let listing: LogListing?

    init(_ inspection: Inspection, _ listing: LogListing?) {
        self.inspection = inspection
        self.listing = listing
    }

    func print(on console: Console) {
        details().print(on: console)
        printSegments(on: console)
        printSnapshots(on: console)
        printLines(on: console)
        for damage in inspection.damages {
            console.print(
                Style.bad.applied(to: "damage", on: console)
                    + " \(damage.path) at byte \(damage.offset): \(damage.problem); "
                    + damage.consequence)
        }
        if let refusal = inspection.refusal {
            console.print(
                Style.bad.applied(to: "refused", on: console) + " the node would not start: "
                    + refusal.description)
        } else if inspection.damages.isEmpty {
            console.print(Style.good.applied(to: "sound", on: console))
        }
    }

    private func details() -> TextDetails {
        var details = TextDetails()
        if let identity = inspection.identity {
            details.append("node", "\(identity.node) of cluster \(identity.cluster)")
            details.append("directory", String(identity.directory, radix: 16))
            details.append("incarnation", "\(identity.incarnation)")
        }
        if let log = inspection.log {
            details.append(
                "hard state",
                "term \(log.hardState.term), vote \(log.hardState.vote?.description ?? "none")")
            details.append(
                "snapshot mark",
                log.snapshot.index == 0
                    ? "none" : "index \(log.snapshot.index), term \(log.snapshot.term)")
            let configuration = log.entries.reversed().lazy.compactMap { entry in
                if case .configuration(let configuration) = entry.payload { return configuration }
                return nil
            }.first
            details.append(
                "members", LogListing.text(configuration ?? log.snapshot.configuration))
            details.append("entries", Self.extent(of: log.entries))
            let lost = log.entries.count { $0.payload == .lost }
            if lost > 0 { details.append("lost", "\(lost)", .bad) }
        }
        if let torn = inspection.tornWrite {
            details.append(
                "torn write",
                "\(torn.range.count) bytes at byte \(torn.range.lowerBound) of \(torn.path); nobody "
                    + "was told of it, and the next start cuts it off")
        }
        return details
    }

    private static func extent(of entries: [Entry]) -> String {
        guard let first = entries.first, let last = entries.last else { return "none" }
        return "\(first.index) (term \(first.term)) to \(last.index) (term \(last.term))"
    }

    private func printSegments(on console: Console) {
        guard !inspection.segments.isEmpty else { return }
        console.print("")
        var table = TextTable(["SEGMENT", "BYTES", "USED", "FIRST", "LAST", "SEALED"])
        for segment in inspection.segments {
            table.append([
                .init(segment.name), .init("\(segment.sizeBytes)"), .init("\(segment.usedBytes)"),
                .init(segment.entries.map { "\($0.lowerBound)" } ?? "-"),
                .init(segment.entries.map { "\($0.upperBound)" } ?? "-"),
                .init(segment.isSealed ? "yes" : "no"),
            ])
        }
        table.print(on: console)
        if inspection.spareCount > 0 { console.print("and \(inspection.spareCount) spare") }
    }

    private func printSnapshots(on console: Console) {
        guard !inspection.snapshots.isEmpty else { return }
        console.print("")
        var table = TextTable(["SNAPSHOT", "BYTES", "VERDICT"])
        for snapshot in inspection.snapshots {
            let style: Style =
                if case .damaged = snapshot.verdict { .bad } else { .plain }
            table.append([
                .init(snapshot.name), .init("\(snapshot.sizeBytes)"),
                .init(snapshot.verdict.text, style),
            ])
        }
        table.print(on: console)
    }

    private func printLines(on console: Console) {
        guard let lines = listing?.lines, !lines.isEmpty else { return }
        console.print("")
        var table = TextTable(
            ["SEGMENT", "BATCH AT", "KIND", "INDEX", "TERM", "PAYLOAD", "DETAIL"],
            flexibleColumn: 6)
        for line in lines {
            table.append([
                .init(line.segment), .init("\(line.offset)"), .init(line.kind),
                .init(line.index.map { "\($0)" } ?? ""), .init(line.term.map { "\($0)" } ?? ""),
                .init(line.payloadBytes.map { "\($0)" } ?? ""), .init(line.detail ?? ""),
            ])
        }
        table.print(on: console)
    }
}

extension Inspection.Snapshot.Verdict {
    var text: String {
        switch self {
        case .inUse: "good; the log starts from it"
        case .older: "good; kept for peers"
        case .leftOver: "left over; goes at the next start"
        case .setAside: "set aside as damaged"
        case .damaged: "damaged"
        }
    }

    var name: String {
        switch self {
        case .inUse: "inUse"
        case .older: "older"
        case .leftOver: "leftOver"
        case .setAside: "setAside"
        case .damaged: "damaged"
        }
    }
}
