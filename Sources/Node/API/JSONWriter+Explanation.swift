import Scheduler

extension JSONWriter {
    mutating func explanation(_ explanation: Explanation) {
        beginObject()
        field("id", explanation.task.description)
        field("state", explanation.state.name)
        optionalTimestampField("expiresAt", explanation.expiresAt)
        key("constraints")
        beginArray()
        for constraint in explanation.constraints {
            beginObject()
            field("constraint", constraint.name)
            field("detail", constraint.detail)
            if let until = constraint.until { timestampField("until", until) }
            field("release", constraint.release)
            endObject()
        }
        endArray()
        endObject()
    }
}

/// In words: what holds the task, and what ends that.
extension Constraint {
    var detail: String {
        switch self {
        case .notDue(let until, let isRetry):
            return isRetry
                ? "the last attempt failed; the next one is due at \(Timestamp.format(until))"
                : "it is not due before \(Timestamp.format(until))"
        case .dependency(let task, let state):
            return "it waits for \(task), which is \(state?.name ?? "not kept any more")"
        case .moreDependencies(let count): return "it waits for \(count) tasks more"
        case .queuePaused(let queue): return "queue \"\(Namespace.bare(queue))\" is paused"
        case .queueConcurrency(let queue, let running, let limit):
            return
                "\(running) of queue \"\(Namespace.bare(queue))\" run, and \(limit) may (concurrency)"
        case .quota(let namespace, let running, let limit):
            return "\(running) of namespace \"\(namespace)\" run, and \(limit) may (quota)"
        case .queueRate(let queue, let until):
            return "the rate of queue \"\(Namespace.bare(queue))\" lets nothing start before "
                + Timestamp.format(until)
        case .breakerOpen(let queue, let until):
            return
                "the breaker of queue \"\(Namespace.bare(queue))\" is open until \(Timestamp.format(until))"
        case .breakerHalfOpen(let queue, let probes):
            return
                "the breaker of queue \"\(Namespace.bare(queue))\" is half open, and waits for the end of "
                + Self.counted(Int(probes), "probe", "probes")
        case .keyLimit(let queue, let hold):
            let others =
                "queue \"\(Namespace.bare(queue))\" limits tasks whose \(hold.key) is \(hold.value)"
            guard let until = hold.nextTokenAt else {
                return others + "; \(hold.running) of them run"
            }
            return others + ": the next one may start at \(Timestamp.format(until))"
        case .noWorker(let handler, let draining, let lost):
            return "no live worker has handler \"\(handler)\""
                + Self.others(draining: draining, lost: lost)
        case .noWorkerWithTags(let handler, let tags, let draining, let lost):
            return
                "no live worker with handler \"\(handler)\" has "
                + (tags.count == 1 ? "tag " : "all of the tags ")
                + tags.map { "\"\($0)\"" }.joined(separator: ", ")
                + Self.others(draining: draining, lost: lost)
        case .slotsBusy(let busy):
            return
                "all \(Self.counted(busy.slots, "slot", "slots")) of the "
                + "\(Self.counted(busy.workers, "worker", "workers")) that can run it are taken; "
                + Self.counted(busy.waiting, "task of its queue is", "tasks of its queue are")
                + " ready" + (busy.isFirst ? ", and it is the first of its priority" : "")
        case .running(let worker, let attempt, let since, _):
            return
                "nothing holds it: attempt \(attempt) runs on \(worker) since \(Timestamp.format(since))"
        case .ended(let state, let at): return "it is \(state.name) since \(Timestamp.format(at))"
        }
    }

    /// What would end it.
    var release: String {
        switch self {
        case .notDue: "time"
        case .dependency(let task, let state):
            switch state {
            case .some(let ended) where ended.isFinal && ended != .succeeded:
                "\(task) has to be run again and succeed: carillon task retry \(task)"
            case .none, .some(.succeeded): "it is about to hear of that"
            case .some: "the end of \(task): carillon task explain \(task)"
            }
        case .moreDependencies: "their ends"
        case .queuePaused(let queue): Self.queueCommand("resume", queue)
        case .queueConcurrency(let queue, _, _):
            "an end of one of them, or: \(Self.queueCommand("set", queue)) --concurrency N"
        case .quota(let namespace, _, _):
            "an end of one of them, or: carillon namespace set \(namespace) --running N"
        case .queueRate(let queue, _):
            "time, or: \(Self.queueCommand("set", queue)) --rate N/s"
        case .breakerOpen: "time; then some attempts are let through to see how they end"
        case .breakerHalfOpen: "their success; a failure opens the breaker again"
        case .keyLimit(let queue, let hold):
            (hold.nextTokenAt == nil ? "an end of one of those before it" : "time")
                + ", or: \(Self.queueCommand("set", queue)) --limits JSON"
        case .noWorker(let handler, let draining, _):
            draining.first.map { "carillon worker undrain \($0)" }
                ?? "a worker that has handler \"\(handler)\""
        case .noWorkerWithTags(_, let tags, let draining, _):
            draining.first.map { "carillon worker undrain \($0)" }
                ?? (tags.count == 1 ? "a worker with that tag" : "a worker with all of them")
        case .slotsBusy: "the end of an attempt there, or another worker"
        case .running: "its end, at \"until\" at the latest"
        case .ended(let state, _):
            state == .succeeded
                ? "nothing: submit it again" : "somebody who wants it to run again (retry)"
        }
    }

    private static func queueCommand(_ word: String, _ queue: String) -> String {
        let namespace = Namespace(of: queue)
        return "carillon queue \(word) \(Namespace.bare(queue))"
            + (namespace.isStandard ? "" : " --namespace \(namespace)")
    }

    private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }

    private static func others(draining: [String], lost: [String]) -> String {
        var text = ""
        if !draining.isEmpty { text += "; draining: \(draining.joined(separator: ", "))" }
        if !lost.isEmpty { text += "; lost: \(lost.joined(separator: ", "))" }
        return text
    }
}
