import Testing

@testable import Scheduler

struct WebhookTests {
    private static let url = "https://example.com/done?a=1"

    private func machine() throws -> Machine {
        var machine = Machine()
        try machine.register("w", slots: 4)
        return machine
    }

    /// Payloads of the tasks that tell of ends, oldest first.
    private func notices(_ machine: Machine) -> [String] {
        var filter = TaskFilter()
        filter.handler = Webhook.handler
        let page = machine.scheduler.list(filter, before: nil, limit: 100, scanBudget: 10_000)
        return page.items.reversed().map { String(decoding: $0.spec.payload, as: UTF8.self) }
    }

    private func notice(_ id: TaskID, _ state: String, _ time: Milliseconds) -> String {
        #"{"url":"\#(Self.url)","task":"\#(id)","state":"\#(state)","time":\#(time)}"#
    }

    @Test
    func theEndOfATaskIsAnotherTaskOfTheSameEntry() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.webhook = Self.url })
        #expect(notices(machine).isEmpty)
        try machine.finish(id)
        #expect(notices(machine) == [notice(id, "succeeded", machine.time)])
        let view = try #require(machine.scheduler.task(TaskID(id.number + 1)))
        #expect(view.state == .ready && view.spec.queue == Webhook.queue)
        #expect(view.spec.meta == [Label(name: "task", value: id.description)])
        #expect(view.spec.retry.attempts == Webhook.attempts)
    }

    @Test
    func everyKindOfEndIsTold() throws {
        var machine = try machine()
        let dead = try machine.submit(.h { $0.webhook = Self.url })
        try machine.finish(dead, .error(isRetryable: false))
        let cancelled = try machine.submit(.h { $0.webhook = Self.url })
        try machine.run(.cancel(cancelled))
        let expired = try machine.submit(
            TaskSpec(handler: "nobody").with {
                $0.webhook = Self.url
                $0.expiresMilliseconds = 0
            })
        let time = machine.time
        try machine.advance(by: 10)
        #expect(
            notices(machine) == [
                notice(dead, "dead", time), notice(cancelled, "cancelled", time),
                notice(expired, "expired", time + 10),
            ])
    }

    @Test
    func oneThatIsBroughtBackIsToldOfAgain() throws {
        var machine = try machine()
        let id = try machine.submit(.h { $0.webhook = Self.url })
        try machine.run(.cancel(id))
        try machine.run(.retry(id))
        try machine.finish(id)
        #expect(
            notices(machine) == [
                notice(id, "cancelled", machine.time), notice(id, "succeeded", machine.time),
            ])
    }

    @Test
    func aQueueTellsOfItsDeadTasksAlone() throws {
        var machine = try machine()
        var spec = QueueSpec()
        spec.errorWebhook = Self.url
        try machine.run(.putQueue(name: "mail", spec, paused: nil, isInitial: false))
        let fine = try machine.submit(.h { $0.queue = "mail" })
        let dead = try machine.submit(.h { $0.queue = "mail" })
        let own = try machine.submit(
            .h {
                $0.queue = "mail"
                $0.webhook = Self.url
            })
        let elsewhere = try machine.submit(.h())
        try machine.finish(fine)
        for id in [dead, own, elsewhere] { try machine.finish(id, .error(isRetryable: false)) }
        #expect(
            notices(machine) == [
                notice(dead, "dead", machine.time), notice(own, "dead", machine.time),
            ], "one request, if both ask for the same")
    }

    @Test
    func nobodyIsToldOfTheEndOfTelling() throws {
        var machine = Machine()
        try machine.register("w", slots: 4, handlers: ["h", Webhook.handler])
        var spec = QueueSpec()
        spec.errorWebhook = Self.url
        try machine.run(.putQueue(name: Webhook.queue, spec, paused: nil, isInitial: false))
        let id = try machine.submit(.h { $0.webhook = Self.url })
        try machine.finish(id)
        let telling = try #require(machine.assigned.first)
        try machine.finish(telling, .error(isRetryable: false))
        #expect(machine.state(telling) == .dead)
        #expect(notices(machine).count == 1)
    }

    @Test
    func itIsToldThoughNothingElseIsTakenIn() throws {
        var capacity = Capacity()
        capacity.tasks = 1
        var machine = Machine(capacity)
        try machine.register("w")
        let id = try machine.submit(.h { $0.webhook = Self.url })
        let other = try machine.run(.submit(.h()))
        #expect(other == .rejected(.full))
        try machine.finish(id)
        #expect(notices(machine).count == 1)
    }

    @Test
    func tasksOfSchedulesTellAsWell() throws {
        var machine = try machine()
        let task = TaskSpec.h { $0.webhook = Self.url }
        try machine.run(
            .putSchedule(
                name: "s", ScheduleSpec(timing: .every(milliseconds: 9), zone: "UTC", task: task),
                paused: true, next: nil))
        try machine.run(.triggerSchedule(name: "s"))
        let id = try #require(machine.assigned.first)
        try machine.finish(id)
        #expect(notices(machine) == [notice(id, "succeeded", machine.time)])
    }

    @Test(arguments: [
        "ftp://a", "http://", "http://a b", "http://a\"b", "http://a\\b", "http://ä", "//a",
        "http://" + String(repeating: "a", count: Limits.maxWebhookBytes),
    ])
    func whatIsNoAddressIsRefused(url: String) throws {
        var machine = Machine()
        let outcome = try machine.run(.submit(.h { $0.webhook = url }))
        #expect(outcome == .rejected(.malformed))
    }
}
