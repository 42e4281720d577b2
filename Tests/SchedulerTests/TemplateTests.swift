import Testing

@testable import Scheduler

struct TemplateTests {
    private func body(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test
    func templatesArePutReplacedListedAndDeleted() throws {
        var machine = Machine()
        for name in ["b", "a", "c"] {
            #expect(
                try machine.run(.putTemplate(name: name, body: body(name)))
                    == .put(existed: false))
        }
        machine.time += 5
        #expect(try machine.run(.putTemplate(name: "b", body: body("new"))) == .put(existed: true))
        let replaced = try #require(machine.scheduler.template("b"))
        #expect(replaced.body == body("new") && replaced.updatedAt == replaced.createdAt + 5)
        #expect(
            machine.scheduler.templates(in: .standard, after: nil, limit: 2).map(\.name) == [
                "a", "b",
            ])
        #expect(
            machine.scheduler.templates(in: .standard, after: "aa", limit: 9).map(\.name) == [
                "b", "c",
            ])
        #expect(try machine.run(.deleteTemplate(name: "a")) == .done)
        #expect(try machine.run(.deleteTemplate(name: "a")) == .rejected(.notFound))
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.template("b") == replaced && restored.template("a") == nil)
    }

    @Test
    func oneThatIsTooLargeIsRefused() throws {
        var machine = Machine()
        let large = [UInt8](repeating: 0x20, count: Limits.maxTemplateBytes + 1)
        #expect(try machine.run(.putTemplate(name: "t", body: large)) == .rejected(.malformed))
        #expect(machine.scheduler.template("t") == nil)
    }

    @Test
    func aTaskTellsTheTemplateItWasMadeFrom() throws {
        var machine = Machine()
        let id = try machine.submit(.h { $0.template = "t" })
        #expect(machine.scheduler.task(id)?.spec.template == "t")
        let restored = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(restored.task(id)?.spec.template == "t")
    }
}
