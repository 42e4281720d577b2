import Scheduler

/// `/v1/templates`.
enum TemplatesAPI {
    static func handle(_ path: ArraySlice<String>, _ call: Call) {
        guard let name = path.first else {
            guard call.allows(.get) else { return }
            return list(call)
        }
        let isMade = call.request.method == .put
        guard call.mayBeHere("template", name, isMade: isMade) else { return }
        guard path.count == 1 else { return call.replyUnknownPath() }
        guard call.allows(.get, .put, .delete) else { return }
        switch call.request.method {
        case .put: put(name, call)
        case .delete: delete(name, call)
        default: get(name, call)
        }
    }

    private static func put(_ name: String, _ call: Call) {
        guard let document = call.document() else { return }
        var query = call.query
        let options = call.options(&query)
        query.finish()
        var reader = JSONReader(document.root)
        let body = TemplateReader.read(&reader)
        reader.finish()
        var problems = reader.problems + query.problems
        if !NameRule.isOwnName(name) || name.utf8.count > call.namespace.maxNameBytes {
            problems.append(
                JSONProblem(
                    pointer: "", detail: "\"\(name)\" is not a template's name: \(NameRule.ownName)"
                ))
        }
        guard problems.isEmpty, let body else { return call.reply(Problem.invalid(problems)) }
        call.perform(
            .putTemplate(name: call.namespace.qualified(name), body: body), options,
            noun: "template", name: name,
            wrongState: { "" }
        ) { outcome in
            guard case .put(let existed) = outcome else {
                preconditionFailure("a template that is put is there")
            }
            reply(name, call, status: existed ? 200 : 201)
        }
    }

    private static func delete(_ name: String, _ call: Call) {
        guard call.hasNoBody(), let options = call.options() else { return }
        call.perform(
            .deleteTemplate(name: call.namespace.qualified(name)), options, noun: "template",
            name: name,
            wrongState: { "" }
        ) { _ in call.reply(HTTPResponse(status: 204)) }
    }

    private static func get(_ name: String, _ call: Call) {
        guard let options = call.options(readsState: true) else { return }
        call.read(options) { reply(name, call) }
    }

    private static func list(_ call: Call) {
        NamedList<TemplateView>.reply(
            to: call,
            NamedList.Source(
                find: {
                    call.gateway.replica.scheduler.templates(
                        in: call.namespace, after: $0, limit: $1)
                },
                name: { Namespace.bare($0.name) }, write: { $1.template($0) }))
    }

    private static func reply(_ name: String, _ call: Call, status: Int = 200) {
        guard let template = call.gateway.replica.scheduler.template(call.namespace.qualified(name))
        else {
            return call.reply(Problem.notFound("template", name))
        }
        call.reply(status: status) { $0.template(template) }
    }
}

extension JSONWriter {
    fileprivate mutating func template(_ template: TemplateView) {
        beginObject()
        field("name", Namespace.bare(template.name))
        do {
            let body = try JSONDocument(template.body).root
            for (name, member) in body.members { rawField(JSONName(name), member.raw) }
        } catch {
            // Not taken in by a node of this version, which checks it.
            nullField("task")
        }
        timestampField("createdAt", template.createdAt)
        timestampField("updatedAt", template.updatedAt)
        endObject()
    }
}
