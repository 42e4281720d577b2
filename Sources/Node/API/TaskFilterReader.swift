import Scheduler

/// Reads the filters of task lists, from a query or from a body.
struct TaskFilterReader {
    private static let maxTextBytes = 1_024

    /// - Parameter states: Fixed by the path; nil: `state` is a filter like the others.
    static func read(
        _ query: inout QueryReader, states: [TaskState]? = nil, in namespace: Namespace = .standard
    ) -> TaskFilter {
        var filter = TaskFilter()
        filter.namespace = namespace
        filter.states = states ?? Self.states(&query)
        filter.queue = query.text("queue").map(namespace.qualified)
        filter.handler = query.text("handler")
        filter.schedule = query.text("schedule").map(namespace.qualified)
        filter.worker = query.text("worker")
        filter.tag = query.text("tag")
        filter.text = query.text("q", maxBytes: maxTextBytes)
        filter.since = query.timestampMilliseconds("since")
        filter.until = query.timestampMilliseconds("until")
        if let text = query.text("workflow") {
            filter.workflow = WorkflowID(text)
            if filter.workflow == nil { query.problem("workflow", "is not a workflow's id") }
        }
        let labels = query.prefixed("meta.")
        if labels.count > Limits.maxMetaLabels {
            query.problem("meta", "at most \(Limits.maxMetaLabels) labels can be asked for")
        } else {
            filter.meta = labels.map { Label(name: $0.name, value: $0.value) }
        }
        return filter
    }

    /// The same, as an object: `state` may be a text or a list of them, `meta` is an object.
    static func read(
        _ reader: inout JSONReader, in namespace: Namespace = .standard
    ) -> TaskFilter {
        var filter = TaskFilter()
        filter.namespace = namespace
        func text(_ name: String, maxBytes: Int = Limits.maxNameBytes) -> String? {
            reader.string(name, maxBytes: maxBytes, allowEmpty: false)
        }
        filter.states = states(&reader)
        filter.queue = text("queue").map(namespace.qualified)
        filter.handler = text("handler")
        filter.schedule = text("schedule").map(namespace.qualified)
        filter.worker = text("worker")
        filter.tag = text("tag")
        filter.text = text("q", maxBytes: maxTextBytes)
        filter.since = reader.timestampMilliseconds("since")
        filter.until = reader.timestampMilliseconds("until")
        if let id = text("workflow") {
            filter.workflow = WorkflowID(id)
            if filter.workflow == nil { reader.problem("workflow", "is not a workflow's id") }
        }
        let labels = reader.stringMap(
            "meta", maxCount: Limits.maxMetaLabels, maxBytes: Limits.maxMetaBytes)
        filter.meta = (labels ?? []).map { Label(name: $0.name, value: $0.value) }
        return filter
    }

    private static func states(_ reader: inout JSONReader) -> [TaskState]? {
        guard reader.has("state") else { return nil }
        var names: [String]?
        if reader.value("state")?.kind == .string {
            names = reader.string("state").map { [$0] }
        } else {
            names = reader.strings("state")
        }
        var states: [TaskState] = []
        for name in names ?? [] {
            if let state = TaskState.allCases.first(where: { $0.name == name }) {
                if !states.contains(state) { states.append(state) }
            } else {
                reader.problem("state", JSONReader.notAmong(name, TaskState.allCases.map(\.name)))
            }
        }
        return states
    }

    private static func states(_ query: inout QueryReader) -> [TaskState]? {
        let names = query.list("state")
        guard !names.isEmpty else { return nil }
        var states: [TaskState] = []
        for name in names {
            if let state = TaskState.allCases.first(where: { $0.name == name }) {
                if !states.contains(state) { states.append(state) }
            } else {
                query.problem("state", JSONReader.notAmong(name, TaskState.allCases.map(\.name)))
            }
        }
        return states
    }
}
