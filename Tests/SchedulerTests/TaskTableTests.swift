import Testing

@testable import Scheduler

struct TaskTableTests {
    private func record(_ number: UInt64) -> TaskRecord {
        TaskRecord(
            payload: [UInt8(truncatingIfNeeded: number)], extra: nil,
            dueAt: Milliseconds(number), createdAt: 0, profile: 0, state: .ready, priority: 5)
    }

    /// Against a dictionary: appends, removals that leave gaps of all sizes, look-ups.
    @Test(arguments: 0..<10)
    func behavesLikeADictionary(seed: UInt64) {
        var random = Seeded(seed)
        var table = TaskTable()
        var model: [UInt64: Milliseconds] = [:]
        var next: UInt64 = 1
        for _ in 0..<3_000 {
            if random.next() % 3 > 0 {
                next += random.next() % 20 == 0 ? random.next() % 2_000 : 1
                let position = table.append(TaskID(next), record(next))
                #expect(table[position].dueAt == Milliseconds(next))
                model[next] = Milliseconds(next)
            } else if let victim = model.keys.randomElement(using: &random) {
                table.remove(TaskID(victim))
                model[victim] = nil
            }
        }
        #expect(table.count == model.count)
        for number in 0...next + 300 {
            let found = table.position(of: TaskID(number)).map { table[$0].dueAt }
            #expect(found == model[number])
        }
        let listed = zip(table.numbers, table.chunks).flatMap { number, chunk in
            chunk.places.map { number << 8 + UInt64($0.slot) }
        }
        #expect(listed == model.keys.sorted())
        for number in model.keys { table.remove(TaskID(number)) }
        #expect(table.count == 0 && table.chunks.isEmpty)
    }

    @Test
    func countsStatesByChunk() {
        var table = TaskTable()
        for number in UInt64(1)...300 { _ = table.append(TaskID(number), record(number)) }
        if let position = table.position(of: TaskID(299)) { table.setState(.dead, at: position) }
        #expect(table.chunks[0].countsByState[Int(TaskState.dead.rawValue)] == 0)
        #expect(table.chunks[1].countsByState[Int(TaskState.dead.rawValue)] == 1)
        #expect(table.chunks[1].countsByState[Int(TaskState.ready.rawValue)] == 44)
    }

    /// A dead task may stay for a month where 255 others are gone.
    @Test
    func sparseChunksShrink() {
        var table = TaskTable()
        for number in UInt64(0)..<1_024 { _ = table.append(TaskID(number), record(number)) }
        for number in UInt64(0)..<1_024 where number % 256 != 7 { table.remove(TaskID(number)) }
        #expect(table.count == 4)
        for chunk in table.chunks { #expect(chunk.records.capacity <= 8) }
        #expect(table.position(of: TaskID(519)) != nil)
    }
}
