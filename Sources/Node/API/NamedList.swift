import Raft
import Scheduler

/// One page of what has names, in the order of these. Like a list of tasks it is written in portions, between which the loop
/// turns (`ScanQueue`).
final class NamedList<Item> {
    /// What can be listed: those behind a name, and how one of them is written.
    struct Source {
        let find: (_ after: String?, _ limit: Int) -> [Item]
        let name: (Item) -> String
        let write: (Item, inout JSONWriter) -> Void
    }

    private static var batch: Int { 50 }

    private let call: Call
    private let source: Source
    private let limit: Int
    /// The page goes on behind this name.
    private var last: String?
    private var count = 0
    private var writer = JSONWriter(capacity: 1_024)

    private init(_ call: Call, _ source: Source, after: String?, limit: Int) {
        self.call = call
        self.source = source
        self.limit = limit
        last = after
    }

    /// Answers a list request with `limit`, `cursor` and the options of reads in its query.
    static func reply(to call: Call, _ source: Source) {
        var query = call.query
        let limit =
            query.integer("limit", in: 1...APILimits.maxListItems) ?? APILimits.defaultListItems
        let after = query.text("cursor")
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        let list = NamedList(call, source, after: after, limit: limit)
        call.read(options) {
            list.writer.beginObject()
            list.writer.key("items")
            list.writer.beginArray()
            call.context.scans.add { _ in list.portion() }
        }
    }

    private func portion() -> ScanQueue.Step {
        let wanted = min(Self.batch, limit - count)
        // One more than is shown tells whether there is a next page.
        let found = source.find(last, wanted + 1)
        let bytesBefore = writer.bytes.count
        var written = 0
        for item in found.prefix(wanted) where writer.bytes.count < APILimits.maxListBytes {
            source.write(item, &writer)
            last = source.name(item)
            written += 1
        }
        count += written
        let hasMore = written < found.count
        let isDone = !hasMore || count == limit || writer.bytes.count >= APILimits.maxListBytes
        if isDone { finish(hasMore: hasMore) }
        return ScanQueue.Step(
            spent: APILimits.scanUnits(items: written, bytes: writer.bytes.count - bytesBefore),
            isDone: isDone)
    }

    private func finish(hasMore: Bool) {
        writer.endArray()
        writer.optionalField("next", hasMore ? last : nil)
        writer.endObject()
        call.reply(.json(writer.bytes))
    }
}
