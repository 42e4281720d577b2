import Scheduler

/// One page of tasks, newest first. A page ends early when enough was looked at or written: what is left
/// follows on the next one.
enum TaskList {
    /// Tasks that are copied out of the state at a time: payloads may be large.
    private static let batch = 50

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
        call.read(options) {
            call.reply { writer in
                write(call, filter, before: before, limit: limit, to: &writer)
            }
        }
    }

    /// The page goes on below the task that the cursor names.
    private static func cursor(_ query: inout QueryReader) -> TaskID? {
        guard let text = query.text("cursor") else { return nil }
        guard let id = TaskID(text) else {
            query.problem("cursor", "is none that was given out")
            return nil
        }
        return id
    }

    private static func write(
        _ call: Call, _ filter: TaskFilter, before: TaskID?, limit: Int,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        var next = before
        var count = 0
        var scanBudget = APILimits.maxListScan
        repeat {
            let wanted = min(batch, limit - count)
            let share = min(scanBudget, APILimits.maxListScan / 4)
            let page = call.gateway.replica.scheduler.list(
                filter, before: next, limit: wanted, scanBudget: share)
            // What was looked at is not told; this share may be counted too high, never too low.
            scanBudget -= page.items.count == wanted ? wanted : share
            next = page.next
            for task in page.items {
                writer.task(task)
                count += 1
                if writer.bytes.count >= APILimits.maxListBytes, task.id != page.items.last?.id {
                    next = task.id
                    break
                }
            }
        } while next != nil && count < limit && scanBudget > 0
            && writer.bytes.count < APILimits.maxListBytes
        writer.endArray()
        writer.optionalField("next", next?.description)
        writer.endObject()
    }
}
