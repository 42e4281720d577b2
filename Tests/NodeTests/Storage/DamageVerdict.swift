import Raft
import Testing

@testable import Node

/// What recovery made of a log that was damaged after it had been acknowledged.
enum DamageVerdict: Equatable {
    case identical
    /// So many entries are known by index and term alone; everything else is as it was.
    case lost(Int)
    case refused
    /// What must never happen: something else, and nobody was told.
    case wrong(Recovered)

    /// Reads the log without changing it.
    init(reading bed: LogBed, expecting truth: Recovered) {
        do throws(StorageError) {
            let names = try bed.scratch.folder.names().filter(SegmentName.isSegment)
            let recovery = try LogRecovery(folder: bed.scratch.folder, names: names, mode: .read)
            self.init(of: recovery.recovered, expecting: truth)
        } catch {
            self = .refused
        }
    }

    init(of found: Recovered, expecting truth: Recovered) {
        guard found.hardState == truth.hardState, found.snapshot == truth.snapshot,
            !found.isStateLost, found.entries.count == truth.entries.count
        else {
            self = .wrong(found)
            return
        }
        var lost = 0
        for (entry, expected) in zip(found.entries, truth.entries) where entry != expected {
            guard entry.index == expected.index, entry.term == expected.term,
                entry.payload == .lost
            else {
                self = .wrong(found)
                return
            }
            lost += 1
        }
        self = lost == 0 ? .identical : .lost(lost)
    }
}

/// Counts verdicts, and objects to wrong ones.
struct DamageTally {
    private(set) var identical = 0
    private(set) var lost = 0
    private(set) var refused = 0

    var survived: Int { identical + lost }
    var total: Int { survived + refused }

    mutating func add(_ verdict: DamageVerdict, _ place: @autoclosure () -> String) {
        switch verdict {
        case .identical: identical += 1
        case .lost: lost += 1
        case .refused: refused += 1
        case .wrong(let found): Issue.record("\(place()): silently became \(found)")
        }
    }
}
