/// A list that a node serves in pages.
struct ItemList {
    let items: [JSONValue]
    /// Where it goes on; nil after the last item.
    let next: String?

    private static let maxPageItems: Int64 = 1_000

    /// - Parameter preset: As many are shown if it is not given.
    static func limit(_ preset: Int) -> OptionSpec {
        OptionSpec(
            name: "limit", value: "N", summary: "show at most so many (default \(preset))")
    }

    static func limit(_ invocation: Invocation) throws(CommandFailure) -> Int64? {
        try invocation.integer("limit", in: 1...1_000_000)
    }

    /// Follows the pages until so many items are there. A page may hold fewer than asked for, or none, and
    /// still have a next one.
    static func fetch(
        _ path: String, query: [(name: String, value: String)] = [], limit: Int64,
        client: ClusterClient
    ) throws(CommandFailure) -> ItemList {
        var items: [JSONValue] = []
        let next = try forEachPage(path, query: query, limit: limit, client: client) { items += $0 }
        return ItemList(items: items, next: next)
    }

    /// The same page by page. Returns where it goes on.
    @discardableResult
    static func forEachPage(
        _ path: String, query: [(name: String, value: String)], limit: Int64,
        client: ClusterClient, _ body: ([JSONValue]) -> Void
    ) throws(CommandFailure) -> String? {
        var count: Int64 = 0
        var cursor: String?
        repeat {
            var pairs = query + [("limit", String(min(limit - count, maxPageItems)))]
            if let cursor { pairs.append(("cursor", cursor)) }
            let page = try client.json(.get(path + PercentEncoding.query(pairs)))
            let items = page["items"]?.elements ?? []
            body(items)
            count += Int64(items.count)
            cursor = page["next"]?.string
        } while cursor != nil && count < limit
        return cursor
    }

    /// In the form in which a node serves it.
    func printJSON(on console: Console) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in items { writer.raw(item.raw) }
        writer.endArray()
        if let next { writer.field("next", next) } else { writer.nullField("next") }
        writer.endObject()
        console.write(writer.bytes + [0x0A])
    }

    func print(
        _ invocation: Invocation, table: ([JSONValue]) -> TextTable, emptyText: String
    ) throws(CommandFailure) {
        guard try invocation.output() == .table else {
            printJSON(on: invocation.console)
            return
        }
        if items.isEmpty {
            invocation.console.print(emptyText)
            return
        }
        table(items).print(on: invocation.console)
        if next != nil {
            invocation.console.print(
                Style.faint.applied(to: "more with --limit", on: invocation.console))
        }
    }
}

extension JSONValue {
    /// A member for display; empty if it is not there.
    func shown(_ name: String) -> String {
        guard let member = self[name], !member.isNull else { return "" }
        return member.string ?? member.source
    }

    /// A member that is an instant, as people say it.
    func shownTime(_ name: String, now: Int64) -> String {
        guard let text = self[name]?.string else { return "" }
        guard let instant = try? Timestamp.parse(text) else { return text }
        return RelativeTime.text(instant, now: now)
    }

    /// A list of names, separated by commas.
    func shownList(_ name: String) -> String {
        (self[name]?.elements ?? []).compactMap(\.string).joined(separator: ",")
    }
}
