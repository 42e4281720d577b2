import Foundation
import Raft
import Testing

@testable import Node

struct SnapshotStoreTests {
    private static let configuration = Configuration(voters: ["n1", "n2"], learners: ["n3"])

    private func mark(_ index: Index, term: Term = 3) -> SnapshotMark {
        SnapshotMark(index: index, term: term, configuration: Self.configuration)
    }

    private func state(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    }

    private func write(
        _ bytes: [UInt8], _ mark: SnapshotMark, to store: SnapshotStore, pieceBytes: Int
    ) throws {
        _ = try store.write(mark) { put throws(StorageError) in
            for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
                try put(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
            }
        }
    }

    @Test(arguments: [0, 1, 1_000, (1 << 20) - 1, 1 << 20, (2 << 20) + 17])
    func aStateComesBack(count: Int) throws {
        let scratch = try ScratchFolder()
        let store = SnapshotStore(folder: scratch.folder)
        let bytes = state(count)
        try write(bytes, mark(7), to: store, pieceBytes: 300_000)
        #expect(try store.load(mark(7)) == bytes)
        let first = try scratch.bytes(of: "snapshot-7-3")
        try write(bytes, mark(7), to: store, pieceBytes: 5_000_000)
        #expect(try scratch.bytes(of: "snapshot-7-3") == first)
        #expect(try scratch.folder.names() == ["snapshot-7-3"])
    }

    @Test func aFlippedBitIsReported() throws {
        let scratch = try ScratchFolder()
        let store = SnapshotStore(folder: scratch.folder)
        try write(state(3_000), mark(7), to: store, pieceBytes: 1_000)
        let good = try scratch.bytes(of: "snapshot-7-3")
        var generator = SeededGenerator(seed: 5)
        let places =
            Array(0..<120) + Array(good.count - 40..<good.count)
            + (0..<100).map { _ in Int.random(in: 0..<good.count, using: &generator) }
        for place in places {
            var bytes = good
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            try scratch.write(bytes, to: "snapshot-7-3")
            #expect(throws: StorageError.self, "byte \(place)") { try store.load(mark(7)) }
        }
        for count in [0, 10, 60, good.count - 1] {
            try scratch.write(Array(good[..<count]), to: "snapshot-7-3")
            #expect(throws: StorageError.self, "cut to \(count)") { try store.load(mark(7)) }
        }
        try scratch.write(good + [0], to: "snapshot-7-3")
        #expect(throws: StorageError.self) { try store.load(mark(7)) }
        try scratch.write(good, to: "snapshot-7-3")
        #expect(try store.load(mark(7)) == state(3_000))
    }

    @Test func aMissingOrOtherSnapshotIsReported() throws {
        let scratch = try ScratchFolder()
        let store = SnapshotStore(folder: scratch.folder)
        #expect(throws: StorageError.self) { try store.load(mark(7)) }
        try write([1], mark(8), to: store, pieceBytes: 1)
        try scratch.folder.rename("snapshot-8-3", to: "snapshot-7-3")
        #expect(throws: StorageError.self) { try store.load(mark(7)) }
    }

    @Test func theMarkedAndOneOlderAreKept() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        for index in [5, 9, 10, 100] as [Index] {
            try write([1], mark(index), to: store, pieceBytes: 1)
        }
        // The newest is not in the log yet, so nothing may rely on it.
        try store.prune(durable: mark(10))
        #expect(try store.names().map(\.index) == [9, 10, 100])
        try store.prune(durable: mark(100))
        #expect(try store.names().map(\.index) == [10, 100])
    }

    @Test func leftOversAreRemoved() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        for index in [5, 9, 12] as [Index] {
            try write([1], mark(index), to: store, pieceBytes: 1)
        }
        try scratch.write([1], to: "snapshot-20-3.new")
        try scratch.write([1], to: "snapshot-21-3.incoming")
        try scratch.write([1], to: SnapshotName.spare)
        try store.removeLeftOvers(recovered: mark(9))
        #expect(try scratch.folder.names() == ["snapshot-5-3", "snapshot-9-3"])
    }

    @Test(arguments: [10, 5_000, (1 << 20) + 9, 3 << 20])
    func aSnapshotIsWrittenIntoTheFileOfAnOldOne(count: Int) throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        for index in [5, 9, 10] as [Index] {
            try write(state(2 << 20), mark(index), to: store, pieceBytes: 1 << 20)
        }
        let old = try number(of: "snapshot-5-3", in: scratch)
        try store.prune(durable: mark(10))
        #expect(
            try scratch.folder.names() == ["snapshot-10-3", "snapshot-9-3", SnapshotName.spare])
        try write(state(count), mark(12), to: store, pieceBytes: 1 << 20)
        #expect(try number(of: "snapshot-12-3", in: scratch) == old)
        #expect(
            try scratch.folder.names() == ["snapshot-10-3", "snapshot-12-3", "snapshot-9-3"])
        // The bytes are those of a new file, nothing of the old one behind them.
        try write(state(count), mark(12), to: store, pieceBytes: 1 << 20)
        #expect(try number(of: "snapshot-12-3", in: scratch) != old)
        #expect(try store.load(mark(12)) == state(count))
    }

    @Test func whatAPeerOrABackupReadsIsNotWrittenOver() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        for index in [3, 5, 9, 10] as [Index] {
            try write(state(300_000 + Int(index)), mark(index), to: store, pieceBytes: 1 << 20)
        }
        _ = try store.chunk(of: mark(3), at: 0, maxBytes: 1_000)
        _ = try store.perform(.open(SnapshotName(mark(5))))
        let sent = try scratch.bytes(of: "snapshot-3-3")
        let exported = try scratch.bytes(of: "snapshot-5-3")
        try store.prune(durable: mark(10))
        #expect(try scratch.folder.names() == ["snapshot-10-3", "snapshot-9-3"])
        try write(state(500_000), mark(12), to: store, pieceBytes: 1 << 20)
        let chunk = try #require(try store.chunk(of: mark(3), at: 1_000, maxBytes: 200_000))
        #expect(chunk.bytes == Array(sent[1_000..<201_000]))
        let read = SnapshotExport.Job.read(
            SnapshotName(mark(5)), offset: 1_000, maxBytes: 200_000, token: 1)
        #expect(
            try store.perform(read)
                == .read(token: 1, bytes: Array(exported[1_000..<201_000])))
    }

    /// A disk that has room for what is of use must take a snapshot from a peer.
    @Test func aSpareMakesRoomForWhatIsReceived() throws {
        let sender = try ScratchFolder()
        let receiver = try ScratchFolder()
        var source = SnapshotStore(folder: sender.folder)
        var target = SnapshotStore(folder: receiver.folder)
        for index in [5, 9, 10] as [Index] {
            try write([1], mark(index), to: target, pieceBytes: 1)
        }
        try target.prune(durable: mark(10))
        try write(state(5_000), mark(20), to: source, pieceBytes: 1_000)
        let chunk = try chunks(of: mark(20), from: &source, bytes: 1_000)[0]
        _ = try target.receive(chunk)
        #expect(
            try receiver.folder.names()
                == ["snapshot-10-3", "snapshot-20-3.incoming", "snapshot-9-3"])
    }

    private func number(of name: String, in scratch: ScratchFolder) throws -> UInt64 {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: scratch.folder.path(of: name))
        return try #require(attributes[.systemFileNumber] as? UInt64)
    }

    private func chunks(
        of mark: SnapshotMark, from store: inout SnapshotStore, bytes: Int
    ) throws -> [Message.SnapshotChunk] {
        var chunks: [Message.SnapshotChunk] = []
        var offset: UInt64 = 0
        while true {
            let (piece, total) = try #require(
                try store.chunk(of: mark, at: offset, maxBytes: bytes))
            chunks.append(
                Message.SnapshotChunk(
                    mark: mark, offset: offset, bytes: piece, totalBytes: total, round: 0))
            offset += UInt64(piece.count)
            if offset == total { return chunks }
        }
    }

    @Test func aSnapshotTravelsDespiteLostAndRepeatedChunks() throws {
        let sender = try ScratchFolder()
        let receiver = try ScratchFolder()
        var source = SnapshotStore(folder: sender.folder)
        var target = SnapshotStore(folder: receiver.folder)
        let bytes = state(100_000)
        try write(bytes, mark(7), to: source, pieceBytes: 9_999)
        let chunks = try chunks(of: mark(7), from: &source, bytes: 7_000)
        #expect(try target.receive(chunks[3]) == .wants(offset: 0))
        var generator = SeededGenerator(seed: 11)
        var wanted: UInt64 = 0
        var progress = try target.receive(chunks[0])
        while case .wants(let offset) = progress {
            #expect(offset >= wanted || offset == 0)
            wanted = offset
            // The wanted chunk, or any other but the first, which would begin anew.
            let isLucky = Bool.random(using: &generator)
            let next = try #require(
                isLucky
                    ? chunks.first { $0.offset == wanted }
                    : chunks.dropFirst().randomElement(using: &generator))
            progress = try target.receive(next)
        }
        #expect(progress == .complete(fileBytes: chunks[0].totalBytes))
        #expect(try target.load(mark(7)) == bytes)
        #expect(try receiver.folder.names() == ["snapshot-7-3"])
    }

    /// A bad block is wanted again from its beginning, and only that; a sender that has no other is given up.
    @Test func aBadPartOfATransferIsWantedAgain() throws {
        let sender = try ScratchFolder()
        let receiver = try ScratchFolder()
        var source = SnapshotStore(folder: sender.folder)
        var target = SnapshotStore(folder: receiver.folder)
        let bytes = state((2 << 20) + 5_000)
        try write(bytes, mark(7), to: source, pieceBytes: 1 << 20)
        let blockBytes = SnapshotFormat.blockHeaderBytes + StorageLimits.snapshotBlockBytes
        let headerBytes = SnapshotFormat.header(for: mark(7)).count
        let chunks = try chunks(of: mark(7), from: &source, bytes: 300_000)
        var offset: UInt64 = 0
        var refusals = 0
        var isComplete = false
        for _ in 0..<100 where !isComplete {
            var (piece, total) = try #require(
                try source.chunk(of: mark(7), at: offset, maxBytes: 300_000))
            // One byte of the second block, the first two times it travels.
            let place = headerBytes + blockBytes + 400_000 - Int(offset)
            if piece.indices.contains(place), refusals < 2 { piece[place] ^= 1 }
            let progress = try target.receive(
                Message.SnapshotChunk(
                    mark: mark(7), offset: offset, bytes: piece, totalBytes: total, round: 0))
            switch progress {
            case .wants(let next):
                if next != offset + UInt64(piece.count) {
                    #expect(next == UInt64(headerBytes + blockBytes))
                    refusals += 1
                }
                offset = next
            case .complete: isComplete = true
            case .refused(let reason): Issue.record("\(reason)")
            }
        }
        #expect(isComplete && refusals == 2)
        #expect(try target.load(mark(7)) == bytes)

        // The header is bad, or a later block is time and again.
        var bad = chunks[0]
        bad.bytes[20] ^= 1
        guard case .refused = try target.receive(bad) else {
            Issue.record("a bad header was taken")
            return
        }
        var wants: [SnapshotReceiver.Progress] = []
        for _ in 0..<3 {
            offset = wants.isEmpty ? 0 : UInt64(headerBytes)
            wants.append(.wants(offset: offset))
            var whole = try sender.bytes(of: "snapshot-7-3")[Int(offset)...].prefix(2 << 20)
            whole[500_000] ^= 1
            let progress = try target.receive(
                Message.SnapshotChunk(
                    mark: mark(7), offset: offset, bytes: Array(whole),
                    totalBytes: chunks[0].totalBytes, round: 0))
            if wants.count < 3 {
                #expect(progress == .wants(offset: UInt64(headerBytes)))
            } else if case .refused(let reason) = progress {
                #expect(reason.contains("at byte \(headerBytes)"))
            } else {
                Issue.record("\(progress)")
            }
        }
        #expect(try receiver.folder.names() == ["snapshot-7-3"])
    }

    /// What rotted since it was written is found before it is sent, wherever it is.
    @Test func aRottenSnapshotIsNotSent() throws {
        let scratch = try ScratchFolder()
        let bytes = state((1 << 20) + 3_000)
        var store = SnapshotStore(folder: scratch.folder)
        try write(bytes, mark(7), to: store, pieceBytes: 1 << 20)
        let good = try scratch.bytes(of: "snapshot-7-3")
        for place in [9, 30, 200, 1 << 19, (1 << 20) + 200, good.count - 31, good.count - 5] {
            var rotten = good
            rotten[place] ^= 8
            try scratch.write(rotten, to: "snapshot-7-3")
            store = SnapshotStore(folder: scratch.folder)
            var offset: UInt64 = 0
            var isFound = false
            while !isFound {
                do throws(StorageError) {
                    guard
                        let chunk = try store.chunk(
                            of: mark(7), at: offset, maxBytes: 200_000), !chunk.bytes.isEmpty
                    else { break }
                    let range = Int(offset)..<Int(offset) + chunk.bytes.count
                    #expect(chunk.bytes == Array(good[range]))
                    offset = UInt64(range.upperBound)
                } catch {
                    isFound = true
                }
            }
            #expect(isFound, "byte \(place)")
            #expect(try scratch.folder.names() == ["snapshot-7-3.damaged"])
            let after = try store.chunk(of: mark(7), at: offset, maxBytes: 10)
            #expect(after == nil)
        }
    }

    @Test func aChunkBeyondTheSnapshotIsRefused() throws {
        let receiver = try ScratchFolder()
        var target = SnapshotStore(folder: receiver.folder)
        for (offset, total) in [(0, 5), (9, 10), (11, 10), (.max, 10), (0, 0)]
            as [(UInt64, UInt64)]
        {
            let chunk = Message.SnapshotChunk(
                mark: mark(7), offset: offset, bytes: [UInt8](repeating: 1, count: 6),
                totalBytes: total, round: 0)
            guard case .refused = try target.receive(chunk) else {
                Issue.record("offset \(offset) of \(total) was taken")
                continue
            }
        }
    }

    /// Each peer got another one, because newer ones are taken all the time.
    @Test func severalAreSentWhileNewerOnesTakeTheirPlaces() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        for index in 1...4 as ClosedRange<Index> {
            try write(state(1_000), mark(index), to: store, pieceBytes: 1_000)
            let first = try store.chunk(of: mark(index), at: 0, maxBytes: 100)
            #expect(first?.bytes.count == 100)
            try store.prune(durable: mark(index))
        }
        #expect(try store.names().count == 2)
        for index in 1...4 as ClosedRange<Index> {
            let next = try store.chunk(of: mark(index), at: 100, maxBytes: 100)
            #expect(next?.bytes.count == 100, "snapshot \(index)")
        }
    }

    @Test func whatNobodyReceivesAnyMoreIsClosed() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        try write(state(1_000), mark(1), to: store, pieceBytes: 1_000)
        _ = try store.chunk(of: mark(1), at: 0, maxBytes: 100)
        for index in 2...Index(StorageLimits.maxUnreadSnapshotAge) + 3 {
            try write(state(1_000), mark(index), to: store, pieceBytes: 1_000)
            try store.prune(durable: mark(index))
        }
        let next = try store.chunk(of: mark(1), at: 100, maxBytes: 100)
        #expect(next == nil)
    }

    @Test func aSnapshotThatIsBeingSentMayBeRemoved() throws {
        let scratch = try ScratchFolder()
        var store = SnapshotStore(folder: scratch.folder)
        try write(state(10_000), mark(5), to: store, pieceBytes: 10_000)
        let whole = try scratch.bytes(of: "snapshot-5-3")
        let first = try #require(try store.chunk(of: mark(5), at: 0, maxBytes: 4_000))
        try scratch.remove("snapshot-5-3")
        let second = try #require(try store.chunk(of: mark(5), at: 4_000, maxBytes: 1 << 20))
        #expect(first.bytes + second.bytes == whole)
        #expect(try store.chunk(of: mark(6), at: 0, maxBytes: 1) == nil)
    }
}
