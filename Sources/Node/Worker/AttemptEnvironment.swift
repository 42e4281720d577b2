import Glibc
import Scheduler

/// The environment of processes that run attempts: the node's own, and what an attempt is about.
struct AttemptEnvironment: Sendable {
    private let inherited: [String]

    private static let names = [
        "CARILLON_TASK_ID", "CARILLON_ATTEMPT", "CARILLON_FENCE", "CARILLON_SCHEDULED_AT",
        "CARILLON_SCHEDULE", "CARILLON_OCCURRENCE", "CARILLON_INPUTS", "CARILLON_BATCH",
        "CARILLON_NAMESPACE",
    ]

    /// `inherited` as `NAME=value`. A node that is itself run by a task must not pass on that task's
    /// variables.
    init(inherited: [String]) {
        self.inherited = inherited.filter { entry in
            !Self.names.contains { entry.hasPrefix($0 + "=") }
        }
    }

    /// That of this process, as it is now.
    static func ofProcess() -> AttemptEnvironment {
        var entries: [String] = []
        var position = environ
        while let entry = position.pointee {
            entries.append(String(cString: entry))
            position += 1
        }
        return AttemptEnvironment(inherited: entries)
    }

    /// As `NAME=value`.
    func entries(for assignment: Assignment) -> [String] {
        var result = inherited
        result.append("CARILLON_TASK_ID=\(assignment.task)")
        result.append("CARILLON_ATTEMPT=\(assignment.attempt)")
        result.append("CARILLON_FENCE=\(assignment.fence)")
        result.append("CARILLON_SCHEDULED_AT=\(Timestamp.format(assignment.scheduledAt))")
        result.append("CARILLON_NAMESPACE=\(assignment.namespace)")
        if let schedule = assignment.schedule { result.append("CARILLON_SCHEDULE=\(schedule)") }
        if let occurrence = assignment.occurrence {
            result.append("CARILLON_OCCURRENCE=\(occurrence)")
        }
        if let inputs = inputs(of: assignment) { result.append("CARILLON_INPUTS=\(inputs)") }
        return result
    }

    /// As `NAME=value`: which tasks they are stands in the input.
    func entries(forBatchOf count: Int, in namespace: Namespace) -> [String] {
        inherited + ["CARILLON_BATCH=\(count)", "CARILLON_NAMESPACE=\(namespace)"]
    }

    /// nil if there are none, or more than a variable may hold: a process can't be launched with more.
    private func inputs(of assignment: Assignment) -> String? {
        let bytes = assignment.inputs.reduce(0) {
            $0 + ($1.result?.count ?? 4) + $1.name.utf8.count
        }
        guard !assignment.inputs.isEmpty, bytes <= WorkerLimits.maxInputsBytes else { return nil }
        return String(decoding: assignment.inputsJSON, as: UTF8.self)
    }
}

extension Assignment {
    /// Results of the tasks that this one waited for, by what it calls them; null of those that did not succeed.
    var inputsJSON: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for input in inputs {
            if let result = input.result {
                writer.rawField(JSONName(input.name), result)
            } else {
                writer.nullField(JSONName(input.name))
            }
        }
        writer.endObject()
        return writer.bytes
    }
}
