import Scheduler

/// A directory with the tasks that the cluster has forgotten, for whoever wants to know later. Its calls block.
///
/// ```
/// tasks-t12-t340.ndjson     the tasks that went together, t12 and t340 the lowest and the highest id among them: a line each,
///                           the JSON of `GET /v1/tasks/{id}` as it was last
/// tasks-t12-t340-2.ndjson   the same ids once more
/// tasks.ndjson.new          being written, or left by a crash; the next file takes its place
/// ```
/// A file appears by a rename when its content is on disk, so it is there as a whole or not at all, and is never written again:
/// its tasks may be gone by now.
struct HistoryFolder: Sendable {
    private let folder: StorageFolder

    init(path: String, system: any FileSystem = LocalFileSystem()) {
        folder = StorageFolder(path: path, system: system)
    }

    /// Returns the file's name once it outlasts a loss of power.
    func write(_ tasks: [TaskView]) throws(StorageError) -> String {
        try folder.create()
        let name = freeName(tasks)
        let temporary = "tasks.ndjson" + StorageFolder.temporarySuffix
        let file = try folder.open(temporary, mode: .replace)
        try file.write(Self.lines(tasks), at: 0)
        try file.sync()
        try folder.rename(temporary, to: name)
        try folder.sync()
        return name
    }

    private func freeName(_ tasks: [TaskView]) -> String {
        let ids = tasks.map(\.id).sorted()
        guard let first = ids.first, let last = ids.last else {
            preconditionFailure("a file of no tasks")
        }
        let stem = "tasks-\(first)-\(last)"
        var name = stem + ".ndjson"
        var copy = 1
        while folder.system.exists(folder.path(of: name)) {
            copy += 1
            name = "\(stem)-\(copy).ndjson"
        }
        return name
    }

    static func lines(_ tasks: [TaskView]) -> [UInt8] {
        var bytes: [UInt8] = []
        for task in tasks {
            var writer = JSONWriter(capacity: task.spec.payload.count + 1_024)
            writer.task(task)
            bytes += writer.bytes
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}
