import Testing

@testable import Node
@testable import Scheduler

@Suite struct HistoryFolderTests {
    private let scratch: ScratchFolder
    private let history: HistoryFolder

    init() throws {
        scratch = try ScratchFolder()
        history = HistoryFolder(path: scratch.path + "/a/n1")
    }

    private func task(_ number: UInt64) -> TaskView {
        var spec = TaskSpec(handler: "echo")
        spec.payload = Array("{\"text\": \"a\\nb\"}".utf8)
        return TaskView(
            id: TaskID(number), spec: spec, state: .dead, dueAt: 1, attempt: 2,
            worker: "n1", createdAt: 1, startedAt: 2, finishedAt: 3, result: nil,
            error: nil, occurrence: nil, schedule: nil, workflow: nil, attempts: [])
    }

    private var names: [String] {
        get throws { try scratch.folder.folder("a").folder("n1").names() }
    }

    @Test func aTaskALineAsItIsRead() throws {
        let name = try history.write([task(40), task(12), task(17)])
        #expect(name == "tasks-t12-t40.ndjson")
        let text = String(decoding: try scratch.bytes(of: "a/n1/" + name), as: UTF8.self)
        var expected = JSONWriter()
        expected.task(task(40))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 4 && lines[3].isEmpty)
        #expect(String(lines[0]) == expected.text)
        #expect(try names == [name])
    }

    @Test func noFileIsWrittenTwice() throws {
        let first = try history.write([task(1), task(2), task(3)])
        let before = try scratch.bytes(of: "a/n1/" + first)
        let second = try history.write([task(1), task(3)])
        let third = try history.write([task(1), task(3)])
        #expect([second, third] == ["tasks-t1-t3-2.ndjson", "tasks-t1-t3-3.ndjson"])
        #expect(try scratch.bytes(of: "a/n1/" + first) == before)
    }

    @Test func whatACrashLeftGoesWithTheNextFile() throws {
        _ = try history.write([task(1)])
        try scratch.write([1, 2, 3], to: "a/n1/tasks.ndjson.new")
        _ = try history.write([task(2)])
        #expect(try names == ["tasks-t1-t1.ndjson", "tasks-t2-t2.ndjson"])
    }

    @Test func aPathThatIsNoDirectoryIsSaid() throws {
        try scratch.write([], to: "a")
        #expect(throws: StorageError.self) { try history.write([task(1)]) }
        try scratch.remove("a")
        #expect(try history.write([task(1)]) == "tasks-t1-t1.ndjson")
    }
}
