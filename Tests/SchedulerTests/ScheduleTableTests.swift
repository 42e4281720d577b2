import Testing

@testable import Scheduler

struct ScheduleTableTests {
    private func record(_ name: String) -> ScheduleRecord {
        ScheduleRecord(name: name, revision: 1, spec: [], isPaused: false, createdAt: 0)
    }

    @Test
    func staysSortedThroughInsertionsAndRemovals() throws {
        var random = Seeded(3)
        var table = ScheduleTable()
        var model: Set<String> = []
        for _ in 0..<4_000 {
            let name = "s\(random.next() % 1_500)"
            if let position = table.position(of: name) {
                #expect(model.contains(name) && table[position].name == name)
                if random.next() % 3 == 0 {
                    table.remove(at: position)
                    model.remove(name)
                }
            } else {
                #expect(!model.contains(name))
                table.insert(record(name))
                model.insert(name)
            }
        }
        let all = table.records(after: nil, limit: .max).map(\.name)
        #expect(all == model.sorted())
        #expect(table.count == model.count)
        var paged: [String] = []
        while true {
            let page = table.records(after: paged.last, limit: 97)
            guard !page.isEmpty else { break }
            paged += page.map(\.name)
        }
        #expect(paged == all)
        #expect(table.records(after: "s1000x", limit: 1).first?.name ?? "" > "s1000x")
    }

    @Test(arguments: ["a", "A.b_c-9", String(repeating: "x", count: 255)])
    func acceptsName(name: String) { #expect(ScheduleRecord.isName(name)) }

    @Test(arguments: [
        "", ".a", "a b", "a\"", "ä", "a/b", "a@b", String(repeating: "x", count: 256),
    ])
    func refusesName(name: String) { #expect(!ScheduleRecord.isName(name)) }
}
