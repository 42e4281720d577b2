import Dispatch
import Glibc
import Raft
import Synchronization
import Testing

@testable import Node

/// What a thread reported, in order.
final class ReportLog<Report: Sendable>: Sendable {
    private let reports = Mutex<[Report]>([])

    func add(_ report: Report) { reports.withLock { $0.append(report) } }

    var all: [Report] { reports.withLock { $0 } }
}

struct LogThreadTests {
    private func batch(_ index: Index, bytes: Int = 10) -> Batch {
        Batch(
            ticket: index, hardState: index == 1 ? HardState(term: 1) : nil,
            entries: [
                Entry(
                    index: index, term: 1,
                    payload: .command([UInt8](repeating: UInt8(index % 251 + 1), count: bytes)))
            ])
    }

    private func tickets(_ reports: ReportLog<LogThread.Report>) -> [Ticket] {
        reports.all.compactMap {
            if case .durable(let ticket, _) = $0 { return ticket }
            return nil
        }
    }

    @Test func everythingSubmittedIsDurableWhenItHasStopped() throws {
        let bed = try LogBed()
        let reports = ReportLog<LogThread.Report>()
        let thread = try LogThread(log: try bed.open().0) { reports.add($0) }
        for index in 1...500 as ClosedRange<Index> { thread.submit(batch(index, bytes: 300)) }
        thread.stop()
        let tickets = tickets(reports)
        #expect(tickets == tickets.sorted())
        #expect(tickets.last == 500)
        #expect(tickets.count == reports.all.count)
        #expect(thread.pendingBytes == 0)
        #expect(thread.oldestPendingSince == nil)
        #expect(try bed.recover().entries.map(\.index) == Array(1...500))
    }

    @Test func whatGathersDuringASyncIsWrittenTogether() throws {
        let bed = try LogBed(segmentBytes: 1 << 20)
        let reports = ReportLog<LogThread.Report>()
        let isReached = DispatchSemaphore(value: 0)
        let mayGoOn = DispatchSemaphore(value: 0)
        let thread = try LogThread(log: try bed.open().0) { report in
            reports.add(report)
            if case .durable(1, _) = report {
                isReached.signal()
                mayGoOn.wait()
            }
        }
        let start = LogThread.now()
        thread.submit(batch(1))
        isReached.wait()
        #expect(thread.oldestPendingSince == nil)
        for index in 2...200 as ClosedRange<Index> { thread.submit(batch(index)) }
        #expect(thread.pendingBytes > 199 * 10)
        let since = try #require(thread.oldestPendingSince)
        #expect(since >= start && since <= LogThread.now())
        mayGoOn.signal()
        thread.stop()
        #expect(tickets(reports) == [1, 200])
    }

    @Test func aBatchThatSaysNothingIsReportedInItsTurn() throws {
        let bed = try LogBed()
        let reports = ReportLog<LogThread.Report>()
        let thread = try LogThread(log: try bed.open().0) { reports.add($0) }
        thread.submit(Batch(ticket: 1))
        thread.stop()
        #expect(tickets(reports) == [1])
    }

    @Test(
        .enabled(if: TinyDisk.isPermitted, "a tmpfs can't be mounted here"))
    func aFullDiskStopsTheThreadAndLosesNothingAcknowledged() throws {
        let disk = try TinyDisk(kibibytes: 256)
        let folder = disk.scratch.folder
        var settings = SegmentedLog.Settings()
        settings.segmentBytes = 16 << 10
        settings.maxGroupBytes = 4 << 10
        let reports = ReportLog<LogThread.Report>()
        do {
            let (log, _, _) = try SegmentedLog.open(
                folder: folder, initial: LogBed.initial, mayCreate: true, settings: settings)
            let thread = try LogThread(log: log) { reports.add($0) }
            for index in 1...400 as ClosedRange<Index> {
                thread.submit(batch(index, bytes: 1_000))
            }
            thread.stop()
        }
        guard case .failed(.system(_, _, let errno)) = reports.all.last else {
            Issue.record("no failure was reported")
            return
        }
        #expect(errno == ENOSPC)
        let acknowledged = try #require(tickets(reports).last)
        #expect(tickets(reports).count == reports.all.count - 1)
        try disk.resize(kibibytes: 1_024)
        let (log, recovered, _) = try SegmentedLog.open(
            folder: folder, initial: LogBed.initial, mayCreate: false, settings: settings)
        #expect(recovered.entries.count >= acknowledged)
        #expect(recovered.entries.map(\.index) == Array(1...Index(recovered.entries.count)))
        try log.close()
    }
}
