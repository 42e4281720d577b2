/// Templates: stored tasks with parameters, which tasks and schedules are made from.
extension Scheduler {
    mutating func putTemplate(_ name: String, _ body: [UInt8]) -> Outcome {
        if let place = state.templates.place(of: name) {
            state.templates[place].body = body
            state.templates[place].updatedAt = state.time
            return .put(existed: true)
        }
        let namespace = Namespace(of: name)
        guard state.templates.count < Limits.maxTemplates, hasRoom(for: namespace) else {
            return .rejected(.full)
        }
        namespaceNumber(namespace)
        state.templates.insert(TemplateRecord(name: name, body: body, at: state.time))
        return .put(existed: false)
    }

    /// What was made from it stays as it is.
    mutating func deleteTemplate(_ name: String) -> Outcome {
        guard let place = state.templates.place(of: name) else { return .rejected(.notFound) }
        state.templates.remove(at: place)
        releaseNamespace(Namespace(of: name))
        return .done
    }

    // MARK: Reads

    public func template(_ name: String) -> TemplateView? {
        state.templates.place(of: name).map { view(state.templates[$0]) }
    }

    /// Those of a namespace, sorted by name in byte order, behind `after`, which is a name within it.
    public func templates(in namespace: Namespace, after: String?, limit: Int) -> [TemplateView] {
        let records = state.templates.records
        return namespace.places(among: records.count, after: after, limit: limit) {
            records[$0].name
        }.map { view(records[$0]) }
    }

    private func view(_ record: TemplateRecord) -> TemplateView {
        TemplateView(
            name: record.name, body: record.body, createdAt: record.createdAt,
            updatedAt: record.updatedAt)
    }
}

/// A template as it was put.
public struct TemplateView: Equatable, Sendable {
    public var name: String
    /// JSON: `{"task": {…}, "params": {…}}`.
    public var body: [UInt8]
    public var createdAt: Milliseconds
    public var updatedAt: Milliseconds
}
