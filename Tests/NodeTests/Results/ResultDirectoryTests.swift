import Scheduler
import Testing

@testable import Node

@Suite struct ResultDirectoryTests {
    private let scratch: ScratchFolder
    private let directory: ResultDirectory
    private let name = StoredName(task: TaskID(17), attempt: 2, fence: 4_711, kind: .result)
    private let other = StoredName(task: TaskID(18), attempt: 1, fence: 4_712, kind: .log)

    init() throws {
        scratch = try ScratchFolder()
        directory = ResultDirectory(path: scratch.path + "/a/b", maxBytes: 64 << 10)
    }

    @Test(arguments: [
        ("t17-2-4711.result", true), ("t17-2-4711.log", true), ("t017-2-4711.log", false),
        ("t17-+2-4711.log", false), ("t17-2-4711", false), ("t17-2.result", false),
        ("t17-2-4711.result.new", false), ("17-2-4711.log", false), ("", false),
    ])
    func `names are read as they are written`(text: String, isName: Bool) {
        #expect(StoredName(text)?.description == (isName ? text : nil))
    }

    @Test func `what was put is got, with its checksum`() throws {
        let checksum = try directory.put(name, [1, 2, 3], isDurable: true)
        #expect(checksum == SHA256.hash([1, 2, 3]))
        #expect(try directory.get(name, checksum: checksum) == [1, 2, 3])
        _ = try directory.put(other, [], isDurable: false)
        #expect(try directory.get(other, checksum: nil) == [])
        let files = try directory.list(wallMilliseconds: SystemClock.wallMilliseconds())
        #expect(Set(files.map(\.name)) == [name, other])
        #expect(files.allSatisfy { abs($0.modifiedAt - SystemClock.wallMilliseconds()) < 600_000 })
    }

    @Test func `put again, it is replaced and takes no more room`() throws {
        let large = [UInt8](repeating: 7, count: 60 << 10)
        for _ in 0..<3 { _ = try directory.put(name, large, isDurable: true) }
        #expect(try directory.get(name, checksum: nil) == large)
    }

    @Test func `damage is found`() throws {
        let checksum = try directory.put(name, [1, 2, 3], isDurable: true)
        try scratch.write([1, 2, 4], to: "a/b/\(name)")
        do {
            _ = try directory.get(name, checksum: checksum)
            Issue.record("damage was not found")
        } catch {
            guard case .damaged = error else { throw error }
        }
    }

    @Test func `what is not there is missing, and removed without a word`() throws {
        #expect(throws: StoreFailure.missing) { try directory.get(name, checksum: nil) }
        try directory.remove([name, other])
    }

    @Test func `it takes no more than it may, and room that is freed is there again`() throws {
        let half = [UInt8](repeating: 7, count: 32 << 10)
        _ = try directory.put(name, half, isDurable: true)
        _ = try directory.put(other, half, isDurable: false)
        let third = StoredName(task: TaskID(19), attempt: 1, fence: 1, kind: .result)
        #expect(throws: StoreFailure.full(maxBytes: 64 << 10)) {
            try directory.put(third, [1], isDurable: true)
        }
        // Another process that opens it counts what is there.
        let again = ResultDirectory(path: scratch.path + "/a/b", maxBytes: 64 << 10)
        #expect(throws: StoreFailure.full(maxBytes: 64 << 10)) {
            try again.put(third, [1], isDurable: true)
        }
        try again.remove([other])
        _ = try again.put(third, [1], isDurable: true)
        #expect(try again.get(third, checksum: nil) == [1])
    }

    @Test func `leftovers of writes go when they are old, and strangers stay`() throws {
        _ = try directory.put(name, [1], isDurable: true)
        try scratch.write([9], to: "a/b/\(other).new")
        try scratch.write([9], to: "a/b/notes.txt")
        let now = SystemClock.wallMilliseconds()
        _ = try directory.list(wallMilliseconds: now)
        #expect(try scratch.bytes(of: "a/b/\(other).new") == [9])
        _ = try directory.list(wallMilliseconds: now + ResultLimits.orphanMilliseconds + 60_000)
        let names = try scratch.folder.folder("a").folder("b").names()
        #expect(names == ["notes.txt", "\(name)"])
    }
}
