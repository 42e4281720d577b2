/// Templates: stored tasks with parameters, which tasks and schedules are made from.
extension Scheduler {
    mutating func putTemplate(_ name: String, _ body: [UInt8]) -> Outcome {
        if let place = state.templates.place(of: name) {
            state.templates[place].body = body
            state.templates[place].updatedAt = state.time
            return .put(existed: true)
        }
        guard state.templates.count < Limits.maxTemplates else { return .rejected(.full) }
        state.templates.insert(TemplateRecord(name: name, body: body, at: state.time))
        return .put(existed: false)
    }

    /// What was made from it stays as it is.
    mutating func deleteTemplate(_ name: String) -> Outcome {
        guard let place = state.templates.place(of: name) else { return .rejected(.notFound) }
        state.templates.remove(at: place)
        return .done
    }

    // MARK: Reads

    public func template(_ name: String) -> TemplateView? {
        state.templates.place(of: name).map { view(state.templates[$0]) }
    }

    /// Sorted by name, in byte order, those behind `name`.
    public func templates(after name: String?, limit: Int) -> [TemplateView] {
        var place = 0
        if let name {
            place = state.templates.firstPlace(from: name)
            if place < state.templates.count, state.templates[place].name == name { place += 1 }
        }
        return state.templates.records[place...].prefix(max(0, limit)).map(view)
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
