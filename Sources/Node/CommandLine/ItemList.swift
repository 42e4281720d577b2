/// A list that a node serves in pages.
struct ItemList {
    let items: [JSONValue]
    /// Where it goes on; nil after the last item.
    let next: String?

    private static let maxPageItems: Int64 = 1_000

    /// Follows the pages until so many items are there. A page may hold fewer than asked for, or none, and
    /// still have a next one.
    static func fetch(
        _ path: String, query: [(name: String, value: String)] = [], limit: Int64,
        client: ClusterClient
    ) throws(CommandFailure) -> ItemList {
        var items: [JSONValue] = []
        var cursor: String?
        repeat {
            let rest = limit - Int64(items.count)
            var pairs = query + [("limit", String(min(rest, maxPageItems)))]
            if let cursor { pairs.append(("cursor", cursor)) }
            let page = try client.json(.get(path + PercentEncoding.query(pairs)))
            items += page["items"]?.elements ?? []
            cursor = page["next"]?.string
        } while cursor != nil && items.count < limit
        return ItemList(items: items, next: cursor)
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
