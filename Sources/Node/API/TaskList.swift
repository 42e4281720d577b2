import Raft
import Scheduler

/// One page of tasks, newest first. What it takes to find them is spread over turns of the loop (`ScanQueue`). A page ends
/// early when enough was looked at or written, or time is up: what is left follows on the next one.
final class TaskList {
    /// Tasks that are copied out of the state at a time: payloads may be large.
    private static let batch = 50

    private let call: Call
    private let filter: TaskFilter
    private let limit: Int
    private let deadline: Nanoseconds
    /// The page goes on below this task.
    private var next: TaskID?
    private var count = 0
    private var rest = APILimits.maxListScan
    private var writer = JSONWriter(capacity: 1_024)

    private init(
        _ call: Call, _ filter: TaskFilter, before: TaskID?, limit: Int, deadline: Nanoseconds
    ) {
        self.call = call
        self.filter = filter
        self.limit = limit
        self.deadline = deadline
        next = before
    }

    /// Answers a list request, with filters and options from its query.
    static func reply(to call: Call, states: [TaskState]? = nil) {
        var query = call.query
        let filter = TaskFilterReader.read(&query, states: states, in: call.namespace)
        let limit =
            query.integer("limit", in: 1...APILimits.maxListItems) ?? APILimits.defaultListItems
        let before = cursor(&query)
        let options = call.options(&query, readsState: true)
        query.finish()
        guard query.problems.isEmpty else {
            call.reply(Problem.invalid(query.problems))
            return
        }
        let list = TaskList(call, filter, before: before, limit: limit, deadline: options.deadline)
        call.read(options) {
            list.begin()
            call.context.scans.add { list.portion($0) }
        }
    }

    private static func cursor(_ query: inout QueryReader) -> TaskID? {
        guard let text = query.text("cursor") else { return nil }
        guard let id = TaskID(text) else {
            query.problem("cursor", "is none that was given out")
            return nil
        }
        return id
    }

    private func begin() {
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
    }

    private func portion(_ budget: Int) -> ScanQueue.Step {
        let page = call.gateway.replica.scheduler.list(
            filter, before: next, limit: min(Self.batch, limit - count),
            scanBudget: min(budget, rest))
        rest -= page.spent
        next = page.next
        let bytesBefore = writer.bytes.count
        var written = 0
        for task in page.items {
            writer.task(task)
            written += 1
            let isEnough =
                writer.bytes.count >= APILimits.maxListBytes
                || writer.bytes.count - bytesBefore >= budget * APILimits.bytesPerScanUnit
            if isEnough, task.id != page.items.last?.id {
                next = task.id
                break
            }
        }
        count += written
        let isDone =
            next == nil || count == limit || rest <= 0
            || writer.bytes.count >= APILimits.maxListBytes
            || call.context.facts.clock().monotonic >= deadline
        if isDone { finish() }
        let bytes = writer.bytes.count - bytesBefore
        return ScanQueue.Step(
            spent: page.spent + APILimits.scanUnits(items: written, bytes: bytes), isDone: isDone)
    }

    private func finish() {
        writer.endArray()
        writer.optionalField("next", next?.description)
        writer.endObject()
        call.reply(.json(writer.bytes))
    }
}
