import Testing

@testable import Raft

@Suite struct LogTests {
    private static let configuration = Configuration(voters: ["n1"])

    private func log(_ terms: [Term]) -> Log {
        Log(Recovered(voters: ["n1"], terms: terms))
    }

    private func mark(_ index: Index, _ term: Term) -> SnapshotMark {
        SnapshotMark(index: index, term: term, configuration: Self.configuration)
    }

    @Test func knowsTermsAtBothEndsOnly() {
        let log = log([1, 1, 3])
        #expect((0...4).map { log.term(at: $0) } == [0, 1, 1, 3, nil])
        #expect(log.lastIndex == 3 && log.lastTerm == 3 && log.firstIndex == 1)
    }

    @Test func findsRunsOfTerms() {
        let log = log([1, 1, 4, 4, 4, 6])
        #expect((1...6).map { log.firstIndex(ofTermAt: $0) } == [1, 1, 3, 3, 3, 6])
        #expect(log.lastIndex(withTermAtMost: 5, through: 6) == 5)
        #expect(log.lastIndex(withTermAtMost: 4, through: 4) == 4)
        #expect(log.lastIndex(withTermAtMost: 3, through: 6) == 2)
        #expect(log.lastIndex(withTermAtMost: 0, through: 6) == 0)
    }

    @Test func measuresRuns() {
        let log = log([1, 1, 1, 1])
        let size = log[1].sizeBytes
        #expect(log.bytes(behind: 0) == 4 * size)
        #expect(log.bytes(behind: 3) == size)
        #expect(log.lastIndex(ofRunFrom: 2, maxBytes: 2 * size) == 3)
        #expect(log.lastIndex(ofRunFrom: 2, maxBytes: 2 * size - 1) == 2)
        // One entry goes out even if it alone is larger than a message should be.
        #expect(log.lastIndex(ofRunFrom: 2, maxBytes: 1) == 2)
        #expect(log.lastIndex(ofRunFrom: 2, maxBytes: .max / 2) == 4)
    }

    @Test func compactionKeepsARetainedTail() {
        var log = log([1, 1, 2, 2, 3])
        let size = log[1].sizeBytes
        log.compact(to: mark(4, 2), retainedBytes: 2 * size)
        #expect(log.firstIndex == 3 && log.lastIndex == 5)
        #expect(log.term(at: 2) == 1)
        #expect(log.term(at: 1) == nil)
        #expect(log.bytes(behind: log.snapshotMark.index) == size)
        log.releaseSome(maxEntries: 1, maxBytes: .max)
        log.releaseSome(maxEntries: 1, maxBytes: .max)
        log.append(entries([3], from: 6)[0])
        #expect(log.slice(from: 3, through: 6).map(\.term) == [2, 2, 3, 3])
        log.truncate(from: 5)
        #expect(log.lastIndex == 4 && log.lastTerm == 2)
    }

    @Test func compactionOfEverythingKeepsTheLastTerm() {
        var log = log([1, 2])
        log.compact(to: mark(2, 2), retainedBytes: 0)
        #expect(log.firstIndex == 3 && log.lastIndex == 2 && log.lastTerm == 2)
        log.releaseSome(maxEntries: 10, maxBytes: .max)
        #expect(log.term(at: 2) == 2)
        log.append(entries([2], from: 3)[0])
        #expect(log[3].index == 3)
    }

    @Test func memoryIsGivenBackInPortionsOfEntriesAndOfBytes() {
        let full = log([1, 1, 1, 1, 1, 1])
        let size = full[1].sizeBytes
        func left(_ maxEntries: Int, _ maxBytes: Int) -> Int {
            var log = full
            log.compact(to: mark(4, 1), retainedBytes: 0)
            log.releaseSome(maxEntries: maxEntries, maxBytes: maxBytes)
            return log.unreleasedCount
        }
        #expect(left(10, .max) == 0)
        #expect(left(3, .max) == 1)
        #expect(left(10, 2 * size) == 2)
        #expect(left(10, 2 * size + 1) == 1)
    }

    /// The same operations on an array that knows nothing of heads, portions and sums.
    @Test func behavesLikeAnArray() {
        var random = RandomSource(seed: 3)
        var log = log([])
        var plain: [Entry] = []
        var snapshot: Index = 0
        var term: Term = 1
        for _ in 0..<5_000 {
            switch random.next(below: 8) {
            case 0..<4:
                term += random.next(below: 2)
                let entry = Entry(
                    index: log.lastIndex + 1, term: term,
                    payload: .command(Array(repeating: 7, count: Int(random.next(below: 40)))))
                log.append(entry)
                plain.append(entry)
            case 4 where log.lastIndex > snapshot:
                let from = snapshot + 1 + random.next(below: log.lastIndex - snapshot)
                log.truncate(from: from)
                plain.removeAll { $0.index >= from }
            case 5 where log.lastIndex > snapshot && random.next(below: 4) == 0:
                snapshot += 1 + random.next(below: log.lastIndex - snapshot)
                log.compact(
                    to: mark(snapshot, log[snapshot].term),
                    retainedBytes: Int(random.next(below: 300)))
            default: log.releaseSome(maxEntries: 2, maxBytes: 30)
            }
            #expect(log.lastIndex == plain.last?.index ?? 0)
            #expect(log.firstIndex <= snapshot + 1)
            let held = plain.suffix(Int(log.lastIndex + 1 - log.firstIndex))
            #expect(Array(log.slice(from: log.firstIndex, through: log.lastIndex)) == Array(held))
            #expect(
                log.bytes(behind: snapshot)
                    == plain.filter { $0.index > snapshot }.reduce(0) { $0 + $1.sizeBytes })
        }
    }
}
