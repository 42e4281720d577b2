import Scheduler

/// What it costs to have clients hear of tasks.
struct EventPart {
    private static let tasks = 1_000

    static func measure(_ meter: inout PartMeter) {
        var bench = Workbench()
        bench.register("w", slots: 10_000, handlers: ["echo"])
        bench.apply([Command](repeating: .submit(Workbench.task()), count: tasks))
        var feed = EventFeed(capacity: 4 * tasks, applied: 0)
        var index = bench.scheduler.appliedIndex
        meter.measure("noted, for a task that starts", operations: tasks) {
            index += 1
            feed.note(bench.events, at: index, in: bench.scheduler)
            return feed.count
        }
        let records = feed.records(behind: feed.lostThrough, limit: tasks)
        var filter = EventFilter()
        filter.types = EventTypes(named: ["task.succeeded", "task.dead", "task.cancelled"])
        meter.measure("looked at, and not wanted", operations: records.count) {
            records.count { filter.matches($0.what) }
        }
        guard let record = records.last(where: { EventType(of: $0.what).name == "task.running" })
        else { preconditionFailure("tasks start") }
        var writer = JSONWriter()
        writer.event(record)
        meter.measure("written", bytes: writer.bytes.count) {
            writer.removeAll()
            writer.event(record)
            return writer.bytes.count
        }
    }
}
