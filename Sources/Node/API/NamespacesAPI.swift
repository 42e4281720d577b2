import Scheduler

/// `/v1/namespaces`. What lives in one is served under `/v1/namespaces/{ns}/…` by the resources themselves.
enum NamespacesAPI {
    /// As a node's: it stands in paths, and in front of other names.
    static func isName(_ text: String) -> Bool { NameRule.isID(text) }

    static func invalidName(_ name: String) -> Problem {
        Problem.invalid([
            JSONProblem(
                pointer: "", detail: "\"\(name)\" is not a namespace's name: \(NameRule.id)")
        ])
    }

    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        guard path.count == 1 else { return call.replyUnknownPath() }
        guard call.allows(.get, .put, .delete) else { return }
        guard isName(name) else { return call.reply(invalidName(name)) }
        switch call.request.method {
        case .put: put(name, call)
        case .delete: delete(name, call)
        default: get(name, call)
        }
    }

    // MARK: Writing

    private static func put(_ name: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        // Stand in what is returned, and say nothing when it is put again.
        for field in ["name", "pending", "running", "queues"] { _ = reader.value(field) }
        var quota = NamespaceQuota()
        reader.object("quotas") { quota = Self.quota(&$0) }
        var retention = NamespaceRetention()
        reader.object("retention") { retention = Self.retention(&$0) }
        reader.finish()
        let problems = reader.problems + query.problems
        guard problems.isEmpty else { return call.reply(Problem.invalid(problems)) }
        call.perform(
            .putNamespace(name: name, quota, retention: retention), options, noun: "namespace",
            name: name,
            wrongState: { "" }
        ) { outcome in
            guard case .put(let existed) = outcome else {
                preconditionFailure("a namespace that is put is there")
            }
            reply(name, call, status: existed ? 200 : 201)
        }
    }

    private static func quota(_ reader: inout JSONReader) -> NamespaceQuota {
        func number(_ field: String, _ least: Int64, _ most: Int) -> UInt32? {
            reader.integer(field, in: least...Int64(most)).map(UInt32.init)
        }
        var quota = NamespaceQuota()
        quota.pending = number("pending", 0, Limits.maxTasks)
        quota.running = number("running", 0, Int(Limits.maxQueueConcurrency))
        let burst = number("submitBurst", 1, Int(Limits.maxRateCount))
        if let text = reader.string("submitRate") {
            if let (count, period) = RateText.parse(text) {
                quota.submitRate = RateLimit(count: count, perMilliseconds: period, burst: burst)
            } else {
                reader.problem("submitRate", "\"\(text)\" is not a rate: \(RateText.rule)")
            }
        } else if burst != nil {
            reader.problem("submitBurst", "goes with \"submitRate\"")
        }
        return quota
    }

    private static func retention(_ reader: inout JSONReader) -> NamespaceRetention {
        func age(_ field: String) -> Milliseconds? {
            reader.durationMilliseconds(field, in: Retention.ageRange)
        }
        func number(_ field: String) -> UInt32? {
            reader.integer(field, in: 0...Int64(Retention.countRange.upperBound)).map(UInt32.init)
        }
        var retention = NamespaceRetention()
        retention.succeededMilliseconds = age("succeeded")
        retention.cancelledMilliseconds = age("cancelled")
        retention.expiredMilliseconds = age("expired")
        retention.deadMilliseconds = age("dead")
        retention.maxFinished = number("maxFinished")
        retention.maxDead = number("maxDead")
        return retention
    }

    private static func delete(_ name: String, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        call.perform(
            .deleteNamespace(name: name), options, noun: "namespace", name: name,
            wrongState: {
                name == Namespace.standard.name
                    ? "The default namespace is always there."
                    : "The namespace holds tasks, schedules or templates still."
            }
        ) { _ in call.reply(HTTPResponse(status: 204)) }
    }

    // MARK: Reading

    private static func list(_ call: Call) {
        var query = call.query
        let limit =
            query.integer("limit", in: 1...APILimits.maxListItems) ?? APILimits.defaultListItems
        let after = query.text("cursor")
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        call.read(options) {
            // One more than is shown tells whether there is a next page.
            let found = call.gateway.replica.scheduler.namespaces(after: after, limit: limit + 1)
            call.reply { writer in
                writer.beginObject()
                writer.key("items")
                writer.beginArray()
                for namespace in found.prefix(limit) { writer.namespace(namespace) }
                writer.endArray()
                writer.optionalField("next", found.count > limit ? found[limit - 1].name : nil)
                writer.endObject()
            }
        }
    }

    private static func get(_ name: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(name, call) }
    }

    private static func reply(_ name: String, _ call: Call, status: Int = 200) {
        guard let namespace = call.gateway.replica.scheduler.namespace(name) else {
            return call.reply(Problem.notFound("namespace", name))
        }
        call.reply(status: status) { $0.namespace(namespace) }
    }
}

extension Namespace {
    /// Qualified names have at most `Limits.maxNameBytes`.
    var maxNameBytes: Int {
        isStandard ? Limits.maxNameBytes : Limits.maxNameBytes - name.utf8.count - 1
    }
}

extension JSONWriter {
    fileprivate mutating func namespace(_ namespace: NamespaceView) {
        beginObject()
        field("name", namespace.name)
        key("quotas")
        beginObject()
        optionalNumber("pending", namespace.quota.pending.map(Int.init))
        optionalField("submitRate", namespace.quota.submitRate.map(RateText.format))
        optionalNumber("submitBurst", namespace.quota.submitRate.map { Int($0.burst) })
        optionalNumber("running", namespace.quota.running.map(Int.init))
        endObject()
        key("retention")
        beginObject()
        optionalDurationField("succeeded", namespace.retention.succeededMilliseconds)
        optionalDurationField("cancelled", namespace.retention.cancelledMilliseconds)
        optionalDurationField("expired", namespace.retention.expiredMilliseconds)
        optionalDurationField("dead", namespace.retention.deadMilliseconds)
        optionalNumber("maxFinished", namespace.retention.maxFinished.map(Int.init))
        optionalNumber("maxDead", namespace.retention.maxDead.map(Int.init))
        endObject()
        field("pending", namespace.pending)
        field("running", namespace.running)
        field("queues", namespace.queues)
        endObject()
    }
}
