import Scheduler

/// Submits a workflow.
enum GraphSubmit {
    static func begin(
        _ document: JSONDocument, _ call: Call, _ options: Call.Options,
        _ queryProblems: [JSONProblem]
    ) {
        var reader = JSONReader(document.root)
        var graphReader = GraphReader(namespace: call.namespace) {
            call.gateway.replica.scheduler.queuePriority($0)
        }
        var graph = graphReader.read(&reader)
        reader.finish()
        var problems = reader.problems + queryProblems
        if let headerKey = call.request.header("idempotency-key") {
            if let problem = TasksAPI.wrong(headerKey, besides: graph?.key) {
                problems.append(problem)
            }
            graph?.key = headerKey
        }
        guard problems.isEmpty, let graph else { return call.reply(Problem.invalid(problems)) }
        let outside = graphReader.outside
        call.gateway.request(.submitGraph(graph), deadline: options.deadline) { answer in
            switch answer {
            case .refused(let refusal): call.refuse(refusal)
            case .outcome(.rejected(.missingDependency)):
                call.reply(
                    Problem.missing(outside, call.namespace, in: call.gateway.replica.scheduler))
            case .outcome(.rejected(.namespaceRate))
            where graph.items.count > burst(of: call):
                call.reply(
                    Problem(
                        kind: .tooLarge, status: 413,
                        detail:
                            "The workflow has \(graph.items.count) tasks; the namespace's submitRate "
                            + "lets \(burst(of: call)) come at once."))
            case .outcome(.rejected(let rejection)):
                call.reply(
                    call.rejected(rejection, noun: "workflow", tasks: graph.items.count))
            case .outcome(.task(let first, let existed)):
                submitted(graph, first, existed: existed, call)
            case .outcome:
                preconditionFailure("a workflow comes to its first task")
            }
        }
    }

    private static func burst(of call: Call) -> Int {
        let quota = call.gateway.replica.scheduler.namespace(call.namespace.name)?.quota
        return quota?.submitRate.map { Int($0.burst) } ?? .max
    }

    private static func submitted(
        _ graph: GraphSpec, _ first: TaskID, existed: Bool, _ call: Call
    ) {
        call.context.metrics.submits += UInt64(graph.items.count)
        call.context.metrics.submitLatency.record(
            nanoseconds: call.context.facts.clock().monotonic - call.request.receivedAt)
        call.reply(status: existed ? 200 : 201) { writer in
            writer.beginObject()
            writer.field("id", WorkflowID(first: first).description)
            writer.key("tasks")
            writer.beginArray()
            for (place, item) in graph.items.enumerated() {
                writer.beginObject()
                writer.field("id", TaskID(first.number + UInt64(place)).description)
                writer.optionalField("name", item.name)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }
}
