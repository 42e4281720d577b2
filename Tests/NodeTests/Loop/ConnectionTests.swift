import CLinux
import Glibc
import Testing

@testable import Node

/// A connection on a loop, and the bare socket at its other end.
private struct Pair {
    let loop: Loop
    let connection: Connection
    let socket: Int32

    init(limits: Connection.Limits = Connection.Limits()) throws {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        loop = try Loop()
        connection = try Connection(
            loop: loop, adopting: Descriptor(adopting: ends[0]), remote: .ipv4(0, port: 0),
            limits: limits)
        socket = ends[1]
    }

    func send(_ text: String) {
        #expect(Glibc.send(socket, text, text.utf8.count, 0) == text.utf8.count)
    }

    /// What has arrived at the other end; nil after its end.
    func receive(max: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(socket, &buffer, max, 0)
        if count == 0 { return nil }
        return count < 0 ? [] : Array(buffer[..<count])
    }
}

@Suite struct ConnectionTests {
    @Test func bytesNotUsedComeAgainWithMore() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        var seen: [String] = []
        pair.connection.onBytes = { bytes in
            seen.append(bytes.text())
            return bytes.count >= 4 ? 4 : 0
        }
        pair.send("ab")
        pair.loop.turn()
        pair.send("cdef")
        pair.loop.turn()
        pair.send("g")
        pair.loop.turn()
        #expect(seen == ["ab", "abcdef", "efg"])
        pair.connection.close()
    }

    @Test func allWritesOfATurnLeaveInOrderAtItsEnd() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        let large = [UInt8](repeating: 7, count: OutputQueue.minUncopiedBytes)
        pair.loop.later {
            pair.connection.write([1])
            pair.connection.write(large)
            pair.connection.write { $0.append(2) }
            #expect(pair.receive() == [], "nothing leaves before the turn ends")
        }
        pair.loop.turn()
        let isWhole = pair.receive() == [1] + large + [2]
        #expect(isWhole)
        #expect(pair.connection.queuedBytes == 0)
        pair.connection.close()
    }

    @Test func whoDoesNotReadIsNotReadUntilItDoes() throws {
        var limits = Connection.Limits()
        limits.highWaterBytes = 100_000
        limits.lowWaterBytes = 10_000
        let pair = try Pair(limits: limits)
        defer { close(pair.socket) }
        var read = 0
        var drained = 0
        pair.connection.onBytes = { bytes in
            read += bytes.count
            return bytes.count
        }
        pair.connection.onDrain = { drained += 1 }
        pair.connection.write([UInt8](repeating: 1, count: 4_000_000))
        pair.send("question")
        for _ in 0..<5 { pair.loop.turn(maxWaitMilliseconds: 0) }
        #expect(read == 0)
        #expect(pair.connection.isOverHighWater)
        var received = 0
        while received < 4_000_000 {
            received += pair.receive()?.count ?? 0
            pair.loop.turn(maxWaitMilliseconds: 0)
        }
        for _ in 0..<3 { pair.loop.turn(maxWaitMilliseconds: 0) }
        #expect(read == 8)
        #expect(drained == 1)
        pair.connection.close()
    }

    @Test func pausedBytesWaitForResuming() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        var seen: [String] = []
        pair.connection.onBytes = { bytes in
            seen.append(bytes.text())
            if seen.count == 1 { pair.connection.pauseReading() }
            return 1
        }
        pair.send("abc")
        for _ in 0..<3 { pair.loop.turn(maxWaitMilliseconds: 0) }
        #expect(seen == ["abc"])
        pair.connection.resumeReading()
        pair.loop.turn(maxWaitMilliseconds: 0)
        #expect(seen == ["abc", "bc"])
        pair.connection.close()
    }

    @Test func finishWritesEverythingThenClosesOnce() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        var reasons: [Connection.CloseReason] = []
        pair.connection.onClose = { reasons.append($0) }
        pair.connection.write([UInt8](repeating: 3, count: 1_000_000))
        pair.connection.finish(lingering: false)
        pair.connection.write([9])
        var received: [UInt8] = []
        while let bytes = pair.receive() {
            received += bytes
            pair.loop.turn(maxWaitMilliseconds: 0)
        }
        pair.loop.turn(maxWaitMilliseconds: 0)
        let isWhole = received == [UInt8](repeating: 3, count: 1_000_000)
        #expect(isWhole)
        #expect(reasons == [.finished])
    }

    @Test func lingeringThrowsAwayWhatStillComes() throws {
        let pair = try Pair()
        var reasons: [Connection.CloseReason] = []
        var read = 0
        pair.connection.onBytes = {
            read += $0.count
            return $0.count
        }
        pair.connection.onClose = { reasons.append($0) }
        pair.connection.write([1])
        pair.connection.finish(lingering: true)
        pair.loop.turn()
        pair.send("more")
        pair.loop.turn()
        #expect(reasons.isEmpty)
        #expect(read == 0)
        #expect(pair.receive() == [1])
        close(pair.socket)
        while reasons.isEmpty { pair.loop.turn() }
        #expect(reasons == [.finished])
    }

    @Test func theOthersEndAndFailuresAreTold() throws {
        let pair = try Pair()
        var ended = false
        var reasons: [Connection.CloseReason] = []
        pair.connection.onEnd = { ended = true }
        pair.connection.onClose = { reasons.append($0) }
        shutdown(pair.socket, Int32(SHUT_WR))
        pair.loop.turn()
        #expect(ended)
        #expect(reasons.isEmpty, "an end is not a close: the other side may still read")
        close(pair.socket)
        pair.connection.write([1])
        while reasons.isEmpty { pair.loop.turn() }
        guard case .failed = reasons.first else {
            Issue.record("closed with \(reasons)")
            return
        }
        #expect(pair.connection.isClosed)
    }

    @Test func closingInACallBackIsSafe() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        var calls = 0
        pair.connection.onBytes = { _ in
            calls += 1
            pair.connection.close()
            return 0
        }
        pair.connection.onClose = { _ in Issue.record("the owner closed it itself") }
        pair.send("abc")
        for _ in 0..<3 { pair.loop.turn(maxWaitMilliseconds: 0) }
        #expect(calls == 1)
        #expect(pair.receive() == nil)
    }

    @Test func aDeadlinePushedBackComesAtItsLastTime() throws {
        let pair = try Pair()
        defer { close(pair.socket) }
        var fired: [UInt64] = []
        pair.connection.onDeadline = { fired.append(Loop.clock()) }
        let start = Loop.clock()
        pair.connection.setDeadline(start + 50_000_000)
        pair.connection.setDeadline(start + 1_000_000)
        pair.connection.setDeadline(start + 4_000_000)
        while fired.isEmpty { pair.loop.turn() }
        #expect(fired[0] >= start + 4_000_000)
        pair.connection.setDeadline(Loop.clock() + 100_000)
        pair.connection.clearDeadline()
        var waited = false
        pair.loop.schedule(at: Loop.clock() + 2_000_000) { waited = true }
        while !waited { pair.loop.turn() }
        #expect(fired.count == 1)
        pair.connection.close()
    }

    @Test func aPeerThatTakesNothingIsGivenUp() throws {
        var limits = Connection.Limits()
        limits.writeStallMilliseconds = 20
        let pair = try Pair(limits: limits)
        defer { close(pair.socket) }
        var reasons: [Connection.CloseReason] = []
        pair.connection.onClose = { reasons.append($0) }
        pair.connection.write([UInt8](repeating: 1, count: 8_000_000))
        while reasons.isEmpty { pair.loop.turn() }
        guard case .failed(let error) = reasons[0] else {
            Issue.record("closed with \(reasons)")
            return
        }
        #expect(error.code == ETIMEDOUT)
    }

    @Test(arguments: [true, false]) func whatCameBeforeAFailedWriteIsReadOnDemand(
        isRead: Bool
    )
        throws
    {
        var limits = Connection.Limits()
        limits.readsAfterFailedWrite = isRead
        let pair = try Pair(limits: limits)
        var seen = ""
        var reasons: [Connection.CloseReason] = []
        pair.connection.onBytes = { bytes in
            seen += bytes.text()
            return bytes.count
        }
        pair.connection.onEnd = { Issue.record("it ends with the failure") }
        pair.connection.onClose = { reasons.append($0) }
        pair.connection.write([1])
        pair.loop.onTurnEnd = {
            pair.loop.onTurnEnd = {}
            pair.send("last words")
            close(pair.socket)
        }
        pair.loop.turn()
        #expect(reasons.isEmpty)
        if isRead {
            #expect(!pair.connection.hasSentAll)
            pair.connection.write([2])
        }
        while reasons.isEmpty { pair.loop.turn() }
        #expect(seen == (isRead ? "last words" : ""))
        #expect(pair.connection.sentBytes == 0)
        #expect(reasons == [.failed(IOError("send", code: EPIPE, subject: "0.0.0.0:0"))])
    }
}
