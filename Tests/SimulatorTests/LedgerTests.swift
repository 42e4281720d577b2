import Raft
import Testing

@testable import Simulator

struct LedgerTests {
    private static let nobody = Configuration(voters: [])

    private func entry(_ index: Index, term: Term, _ text: String = "") -> Entry {
        Entry(index: index, term: term, payload: .command(Array(text.utf8)))
    }

    /// Committed are three entries of term 1, and behind them two of term 2.
    private func ledger() -> Ledger {
        var ledger = Ledger()
        for index in 1...5 as ClosedRange<Index> {
            ledger.append(entry(index, term: index < 4 ? 1 : 2), committedInTerm: 2)
        }
        return ledger
    }

    /// Four entries of term 1, of which the second is damaged or not: the fourth was never committed.
    private func disk(isDamaged: Bool = true) throws -> LogImage {
        var disk = LogImage(configuration: Self.nobody)
        var entries = (1...4 as ClosedRange<Index>).map { entry($0, term: 1) }
        try disk.write(Batch(ticket: 1, hardState: HardState(term: 1, vote: nil), entries: entries))
        if isDamaged { entries[1].payload = .lost }
        disk.take(
            Recovered(
                hardState: HardState(term: 1, vote: nil),
                snapshot: SnapshotMark(index: 0, term: 0, configuration: Self.nobody),
                entries: entries))
        return disk
    }

    private func isKept(by entries: [Entry], of disk: LogImage) -> Bool {
        ledger().isKept(
            by: Batch(ticket: 2, truncateFrom: 2, entries: entries), from: 2, of: disk)
    }

    @Test func aRepairWritesAnewWhatIsCommitted() throws {
        let disk = try disk()
        let whole = [entry(2, term: 1), entry(3, term: 1)]
        #expect(isKept(by: whole + [entry(4, term: 2)], of: disk))
        #expect(isKept(by: whole, of: disk), "the fourth of this disk is not the committed one")
    }

    @Test func nothingCommittedIsLostInIt() throws {
        let disk = try disk()
        #expect(!isKept(by: [entry(2, term: 1)], of: disk), "the third is gone")
        #expect(!isKept(by: [entry(2, term: 1, "x"), entry(3, term: 1)], of: disk))
        #expect(!isKept(by: [entry(3, term: 1)], of: disk), "the second is gone")
        #expect(!isKept(by: [], of: disk))
    }

    @Test func aWholeLogNeedsNoRepair() throws {
        let disk = try disk(isDamaged: false)
        #expect(!isKept(by: [entry(2, term: 1), entry(3, term: 1)], of: disk))
    }
}
