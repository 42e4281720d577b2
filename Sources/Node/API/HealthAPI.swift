/// `/healthz`, `/readyz` and `/metrics`.
enum HealthAPI {
    static func handle(_ name: String, _ call: Call) {
        switch name {
        case "healthz":
            guard call.allows(.get) else { return }
            call.reply { writer in
                writer.beginObject()
                writer.field("status", "up")
                writer.endObject()
            }
        case "readyz":
            guard call.allows(.get) else { return }
            ready(call)
        case "metrics":
            guard call.allows(.get) else { return }
            let gauges = call.context.facts.gauges()
            call.reply(
                HTTPResponse(
                    status: 200, contentType: PrometheusText.contentType,
                    body: call.context.metrics.exposition(gauges)))
        default:
            call.replyUnknownPath()
        }
    }

    private static func reason(_ call: Call) -> String {
        let replica = call.gateway.replica
        if let problem = StandingText(replica).problem {
            return problem
        }
        return replica.raft.leader == nil
            ? "This node knows no leader." : "This node is catching up with the log."
    }

    private static func ready(_ call: Call) {
        guard call.gateway.replica.isReady else {
            call.reply(
                Problem(
                    kind: .notReady, status: 503, detail: reason(call),
                    retryAfterSeconds: APILimits.retryAfterSeconds))
            return
        }
        call.reply { writer in
            writer.beginObject()
            writer.field("status", "ready")
            writer.endObject()
        }
    }
}
