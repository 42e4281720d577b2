import Scheduler

/// `/v1/workflows`.
enum WorkflowsAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first, path.count == 1 else { return call.replyUnknownPath() }
        guard call.allows(.get, .delete) else { return }
        guard let id = WorkflowID(name) else {
            return call.reply(Problem.notFound("workflow", name))
        }
        if call.request.method == .delete { cancel(id, call) } else { get(id, call) }
    }

    private static func get(_ id: WorkflowID, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(id, call) }
    }

    private static func cancel(_ id: WorkflowID, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        if let found = workflow(id, call) { return cancel(found, call, options) }
        // This node may not know it yet.
        call.read(options) {
            guard let found = workflow(id, call) else {
                return call.reply(Problem.notFound("workflow", id.description))
            }
            cancel(found, call, options)
        }
    }

    private static func cancel(_ workflow: WorkflowView, _ call: Call, _ options: Call.Options) {
        call.perform(
            .cancelWorkflow(workflow.id), options, noun: "workflow",
            name: workflow.id.description,
            wrongState: { "All tasks of the workflow have ended already." }
        ) { _ in reply(workflow.id, call) }
    }

    /// If it is one of the request's namespace: all of its tasks are.
    private static func workflow(_ id: WorkflowID, _ call: Call) -> WorkflowView? {
        let scheduler = call.gateway.replica.scheduler
        guard let found = scheduler.workflow(id), let task = found.tasks.first,
            scheduler.namespace(of: task.id) == call.namespace
        else { return nil }
        return found
    }

    private static func reply(_ id: WorkflowID, _ call: Call) {
        guard let workflow = workflow(id, call) else {
            return call.reply(Problem.notFound("workflow", id.description))
        }
        call.reply { $0.workflow(workflow) }
    }
}

extension JSONWriter {
    fileprivate mutating func workflow(_ workflow: WorkflowView) {
        beginObject()
        field("id", workflow.id.description)
        field("state", workflow.state.rawValue)
        field("progress", workflow.endedCount * 100 / workflow.count)
        field("total", workflow.count)
        key("counts")
        beginObject()
        for state in TaskState.allCases {
            field(JSONName(state.name), workflow.tasks.count { $0.state == state })
        }
        // They ended well, or long ago.
        field("forgotten", workflow.count - workflow.tasks.count)
        endObject()
        key("tasks")
        beginArray()
        for task in workflow.tasks {
            beginObject()
            field("id", task.id.description)
            optionalField("name", task.name)
            field("state", task.state.name)
            endObject()
        }
        endArray()
        endObject()
    }
}
