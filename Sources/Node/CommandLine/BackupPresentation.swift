import Raft
import Scheduler

/// What a backup holds, for people and programs.
struct BackupPresentation {
    private let contents: BackupContents
    /// Which node gave it, and of which cluster; nil for a file that was only read.
    private let offer: BackupTransfer.Offer?

    init(_ contents: BackupContents, offer: BackupTransfer.Offer? = nil) {
        self.contents = contents
        self.offer = offer
    }

    func print(as format: Invocation.OutputFormat, path: String, on console: Console) {
        switch format {
        case .table:
            if let offer {
                console.print("\(path): saved from \(offer.node) of cluster \(offer.cluster)")
            } else {
                console.print("\(path): sound")
            }
            for line in lines { console.print("  " + line) }
        case .json:
            var writer = JSONWriter()
            write(path: path, to: &writer)
            console.write(writer.bytes + [0x0A])
        }
    }

    private var lines: [String] {
        let counts = contents.state.counts
        let tasks = states(counts).map { "\($0.count) \($0.name)" }.joined(separator: ", ")
        let total = counts.tasksByState.reduce(0, +)
        return [
            "up to entry \(contents.mark.index) of term \(contents.mark.term), "
                + "cluster time \(Timestamp.format(contents.state.time))",
            "\(total) tasks" + (tasks.isEmpty ? "" : " (\(tasks))"),
            "\(counts.schedules) schedules, \(counts.rememberedKeys) remembered keys",
            "\(contents.fileBytes) bytes, checksum \(ChecksumText.text(contents.checksum)), "
                + "state version \(contents.state.stateVersion)",
        ]
    }

    private func states(_ counts: Counts) -> [(name: String, count: Int)] {
        TaskState.allCases.compactMap { state in
            let count = counts.tasksByState[Int(state.rawValue)]
            return count > 0 ? (state.name, count) : nil
        }
    }

    private func write(path: String, to writer: inout JSONWriter) {
        let counts = contents.state.counts
        writer.beginObject()
        writer.field("file", path)
        if let offer {
            writer.field("cluster", offer.cluster)
            writer.field("node", offer.node)
        }
        writer.field("index", contents.mark.index)
        writer.field("term", contents.mark.term)
        writer.field("time", Timestamp.format(contents.state.time))
        writer.field("stateVersion", UInt64(contents.state.stateVersion))
        writer.field("bytes", contents.fileBytes)
        writer.field("checksum", ChecksumText.text(contents.checksum))
        writer.field("tasks", counts.tasksByState.reduce(0, +))
        writer.key("tasksByState")
        writer.beginObject()
        for state in states(counts) { writer.field(JSONName(state.name), state.count) }
        writer.endObject()
        writer.field("schedules", counts.schedules)
        writer.field("rememberedKeys", counts.rememberedKeys)
        writer.endObject()
    }
}
