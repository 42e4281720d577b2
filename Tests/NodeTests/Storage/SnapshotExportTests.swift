import Raft
import Testing

@testable import Node

/// Snapshot files that a backup fetches.
struct SnapshotExportTests {
    private func mark(_ index: Index) -> SnapshotMark {
        SnapshotMark(index: index, term: 2, configuration: Configuration(voters: ["n1"]))
    }

    private func store(_ scratch: ScratchFolder, _ indexes: Index...) throws -> SnapshotStore {
        let store = SnapshotStore(folder: scratch.folder)
        for index in indexes {
            let bytes = [UInt8](repeating: UInt8(index), count: (1 << 20) + 500)
            _ = try store.write(mark(index)) { put throws(StorageError) in try put(bytes) }
        }
        return store
    }

    private func bytes(
        _ name: SnapshotName, of store: inout SnapshotStore, count: Int
    ) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let reply = try store.perform(
                .read(name, offset: UInt64(all.count), maxBytes: 300_000, token: 7))
            guard case .read(token: 7, let bytes) = reply, !bytes.isEmpty else {
                Issue.record("\(String(describing: reply))")
                break
            }
            all += bytes
        }
        return all
    }

    @Test func `a file stays readable when newer ones have replaced it`() throws {
        let scratch = try ScratchFolder()
        var store = try store(scratch, 1)
        let name = SnapshotName(mark(1))
        let file = try scratch.bytes(of: name.text)
        let opened = try store.perform(.open(name))
        let checksum = file[(file.count - 8)..<(file.count - 4)].reversed().reduce(UInt32(0)) {
            $0 << 8 | UInt32($1)
        }
        #expect(opened == .opened(name, totalBytes: UInt64(file.count), checksum: checksum))
        for index in 2...4 as ClosedRange<Index> {
            _ = try store.write(mark(index)) { put throws(StorageError) in try put([1]) }
            try store.prune(durable: mark(index))
        }
        let names = try scratch.folder.names()
        #expect(!names.contains(name.text))
        let fetched = try bytes(name, of: &store, count: file.count)
        #expect(fetched == file)
        let closed = try store.perform(.close(name))
        #expect(closed == nil)
        let late = try store.perform(.read(name, offset: 0, maxBytes: 1, token: 8))
        #expect(late == .notOpen(token: 8))
        let again = try store.perform(.open(name))
        #expect(again == .gone(name))
    }

    @Test func `nothing that has rotted is handed out`() throws {
        let scratch = try ScratchFolder()
        var store = try store(scratch, 1)
        let name = SnapshotName(mark(1))
        _ = try store.perform(.open(name))
        var file = try scratch.bytes(of: name.text)
        file[(1 << 20) + 200] ^= 4
        try scratch.write(file, to: name.text)
        let first = try store.perform(.read(name, offset: 0, maxBytes: 1_000, token: 1))
        #expect(first == .read(token: 1, bytes: Array(file[..<1_000])))
        let second = try store.perform(
            .read(name, offset: 1 << 20, maxBytes: 1_000, token: 2))
        guard case .damaged(name, token: 2, .corrupt) = second else {
            Issue.record("\(String(describing: second))")
            return
        }
        let names = try scratch.folder.names()
        #expect(names == [name.text + ".damaged"])
        let later = try store.perform(.read(name, offset: 0, maxBytes: 1, token: 3))
        #expect(later == .notOpen(token: 3))
    }

    @Test func `a damaged footer is found when the file is opened`() throws {
        let scratch = try ScratchFolder()
        var store = try store(scratch, 1)
        let name = SnapshotName(mark(1))
        var file = try scratch.bytes(of: name.text)
        file[file.count - 10] ^= 1
        try scratch.write(file, to: name.text)
        let reply = try store.perform(.open(name))
        guard case .damaged(name, token: nil, .corrupt) = reply else {
            Issue.record("\(String(describing: reply))")
            return
        }
    }
}
