import Raft
import Scheduler

/// `GET /v1/events`: what happens, as it happens, and what happened lately.
///
/// Clients are told from the node's own applied log. Each has a place in the feed and no queue: one that takes nothing
/// stays where it is until the feed has lost what it wants next, and is then told so and dropped.
final class EventsAPI {
    private struct Reader {
        let id: UInt64
        let filter: EventFilter
        let stream: EventStream
        /// It has been told of everything up to here that it wants.
        var cursor: EventFeed.Position
        /// When anything was last written to it.
        var toldAt: Nanoseconds
        /// Where another node had left off; this one may be behind it.
        let asked: EventFeed.Position?

        var resumption: EventFeed.Position { max(cursor, asked ?? cursor) }
    }

    private let context: APIContext
    private var readers: [Reader] = []
    private var lastID: UInt64 = 0
    private var isWatching = false
    private var isPumping = false

    init(_ context: APIContext) {
        self.context = context
    }

    private var feed: EventFeed { context.gateway.replica.feed }
    private var now: Nanoseconds { context.facts.clock().monotonic }

    func handle(_ call: Call) {
        guard call.allows(.get), call.hasNoBody() else { return }
        var query = call.query
        let filter = Self.filter(&query, call.namespace)
        let follows = query.bool("follow") ?? true
        let limit = query.integer("limit", in: 1...APILimits.maxListItems)
        let cursor = Self.position(query.text("cursor"), "cursor", &query)
        // A browser's WebSocket can't send the header.
        let named = query.text("lastEventId")
        let given = named ?? call.request.header("last-event-id").flatMap { $0.isEmpty ? nil : $0 }
        let last = Self.position(given, "lastEventId", &query)
        if follows, limit != nil || cursor != nil {
            query.problem("limit", "limit and cursor are for follow=false")
        }
        query.finish()
        guard query.problems.isEmpty else { return call.reply(Problem.invalid(query.problems)) }
        guard follows else {
            return list(call, filter, before: cursor, limit ?? APILimits.defaultListItems)
        }
        guard let last, last.index > context.gateway.replica.applied else {
            return begin(call, filter, behind: last)
        }
        // It comes from a node that is ahead of this one, which would tell it the same again: so this one catches up first.
        // Where there is no leader to ask, twice is better than never.
        let deadline =
            call.request.receivedAt + Nanoseconds(APILimits.defaultTimeoutMilliseconds) * 1_000_000
        context.gateway.read(isStale: false, deadline: deadline) { [weak self] _ in
            self?.begin(call, filter, behind: last)
        }
    }

    private static func filter(
        _ query: inout QueryReader, _ namespace: Namespace
    ) -> EventFilter {
        var filter = EventFilter()
        filter.namespace = namespace
        if let text = query.text("task") {
            filter.task = TaskID(text)
            if filter.task == nil { query.problem("task", "\"\(text)\" is no task's id") }
        }
        filter.queue = query.text("queue").map(namespace.qualified)
        filter.handler = query.text("handler")
        filter.schedule = query.text("schedule").map(namespace.qualified)
        filter.worker = query.text("worker")
        let types = query.list("type")
        if !types.isEmpty { filter.types = EventTypes(named: types) }
        for type in types where !EventFilter.kinds.contains(String(type.prefix { $0 != "." })) {
            query.problem("type", JSONReader.notAmong(type, EventFilter.kinds))
        }
        return filter
    }

    private static func position(
        _ text: String?, _ name: String, _ query: inout QueryReader
    ) -> EventFeed.Position? {
        guard let text else { return nil }
        let position = EventFeed.Position(text)
        if position == nil { query.problem(name, "\"\(text)\" is no event's id") }
        return position
    }

    // MARK: What happened lately

    private func list(
        _ call: Call, _ filter: EventFilter, before cursor: EventFeed.Position?, _ limit: Int
    ) {
        let end = cursor ?? EventFeed.Position(index: .max, place: .max)
        let found = Array(
            feed.records(before: end).filter { filter.matches($0.what) }.prefix(limit + 1))
        call.reply { writer in
            writer.beginObject()
            writer.key("items")
            writer.beginArray()
            for record in found.prefix(limit) { writer.event(record) }
            writer.endArray()
            let next = found.count > limit ? found[limit - 1].position.description : nil
            writer.optionalField("next", next)
            writer.endObject()
        }
    }

    // MARK: What happens

    private func begin(_ call: Call, _ filter: EventFilter, behind last: EventFeed.Position?) {
        guard readers.count < APILimits.maxEventReaders else {
            return call.reply(
                Problem(
                    kind: .overloaded, status: 503,
                    detail: "\(readers.count) clients follow the events of this node already.",
                    retryAfterSeconds: APILimits.retryAfterSeconds))
        }
        guard let stream = open(call) else { return }
        lastID += 1
        let id = lastID
        readers.append(
            Reader(
                id: id, filter: filter, stream: stream, cursor: min(last ?? feed.last, feed.last),
                toldAt: now, asked: last))
        stream.onClose = { [weak self] in self?.readers.removeAll { $0.id == id } }
        if let last, last < feed.lostThrough { tellGap(of: readers.count - 1) }
        stream.keepAlive(readers[readers.count - 1].resumption)
        watch()
        context.facts.later { [weak self] in self?.turnEnded() }
    }

    private func open(_ call: Call) -> EventStream? {
        guard WebSocket.isAskedFor(by: call.request) else {
            context.metrics.countResponse(status: 200)
            return EventStream(serverSent: call.responder)
        }
        // A page of any site may open one, and its browser lets it read the answer.
        guard
            !CrossSite.isForeign(
                origin: call.request.header("origin"), host: call.request.header("host"))
        else {
            call.reply(
                Problem(
                    kind: .crossSite, status: 403,
                    detail: "Web pages of other sites may not follow events here."))
            return nil
        }
        if let refusal = WebSocket.refusal(of: call.request) {
            call.reply(refusal)
            return nil
        }
        context.metrics.countResponse(status: 101)
        return WebSocket(call.request, call.responder).map { EventStream(webSocket: $0) }
    }

    /// It asked to go on from where this node knows nothing any more, or nothing yet: a snapshot is all it has of that.
    private func tellGap(of place: Int) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("type", "gap")
        writer.field("from", readers[place].cursor.description)
        writer.field("to", feed.lostThrough.description)
        writer.endObject()
        readers[place].stream.write(id: nil, json: writer.bytes)
        readers[place].stream.flush()
        readers[place].cursor = feed.lostThrough
    }

    /// To be told after every turn of the replica.
    func turnEnded() {
        // Writing may find a client gone, which takes it out.
        guard !readers.isEmpty, !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        let last = feed.last
        for reader in readers where reader.cursor < last { pump(reader.id) }
    }

    private func pump(_ id: UInt64) {
        guard let place = readers.firstIndex(where: { $0.id == id }) else { return }
        let reader = readers[place]
        guard reader.cursor >= feed.lostThrough else {
            return drop(
                id, reason: "too slow: events behind \(reader.cursor) are not held any more",
                isSlow: true)
        }
        guard reader.stream.hasRoom else { return }
        let records = feed.records(behind: reader.cursor, limit: APILimits.maxEventsPerTurn)
        var cursor = reader.cursor
        var hasTold = false
        var writer = JSONWriter()
        for record in records {
            if reader.filter.matches(record.what) {
                guard reader.stream.hasRoom else { break }
                writer.removeAll()
                writer.event(record)
                reader.stream.write(id: record.position, json: writer.bytes)
                hasTold = true
            }
            cursor = record.position
        }
        reader.stream.flush()
        // The client may have gone meanwhile.
        guard let place = readers.firstIndex(where: { $0.id == id }) else { return }
        readers[place].cursor = records.isEmpty ? feed.last : cursor
        if hasTold { readers[place].toldAt = now }
        if records.count == APILimits.maxEventsPerTurn {
            context.facts.later { [weak self] in self?.turnEnded() }
        }
    }

    private func drop(_ id: UInt64, reason: String, isSlow: Bool) {
        guard let place = readers.firstIndex(where: { $0.id == id }) else { return }
        let stream = readers.remove(at: place).stream
        stream.onClose = {}
        stream.end(reason: reason, isSlow: isSlow)
    }

    /// The node goes: its clients go on with another.
    func drain() {
        for reader in readers { drop(reader.id, reason: "this node leaves", isSlow: false) }
    }

    private func watch() {
        guard !isWatching else { return }
        isWatching = true
        let interval = APILimits.eventKeepAliveNanoseconds / 3
        context.facts.schedule(now + interval) { [weak self] in
            guard let self else { return }
            isWatching = false
            let now = self.now
            for place in readers.indices
            where now - readers[place].toldAt >= APILimits.eventKeepAliveNanoseconds - interval {
                guard readers[place].stream.hasRoom else { continue }
                readers[place].toldAt = now
                readers[place].stream.keepAlive(readers[place].resumption)
            }
            turnEnded()
            if !readers.isEmpty { watch() }
        }
    }
}
