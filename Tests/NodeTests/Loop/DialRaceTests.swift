import CLinux
import Glibc
import Testing

@testable import Node

@Suite struct DialRaceTests {
    /// What listens and takes no connection, because its queue is full.
    private final class Silence {
        private let listener: Int32
        private var callers: [Int32] = []
        private(set) var address = SocketAddress.ipv4(0, port: 0)

        init() {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                    #expect(bind(listener, name, length) == 0)
                    #expect(listen(listener, 0) == 0)
                    #expect(getsockname(listener, name, &length) == 0)
                    for _ in 0..<4 {
                        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
                        let caller = socket(AF_INET, kind, 0)
                        _ = connect(caller, name, length)
                        callers.append(caller)
                    }
                }
            }
            address = .ipv4(0x7F00_0001, port: UInt16(bigEndian: name.sin_port))
        }

        deinit {
            for number in callers + [listener] { close(number) }
        }
    }

    private let refusing = SocketAddress.ipv4(0x7F00_0001, port: 1)

    private func limits(dial: Int = 30_000, silence: Int) -> DialRace.Limits {
        DialRace.Limits(dialMilliseconds: dial, silenceMilliseconds: silence)
    }

    private func listener(_ loop: Loop) throws -> Listener {
        try Listener(
            loop: loop, endpoint: Endpoint(host: "127.0.0.1", port: 0),
            onTrouble: { Issue.record("\($0)") }, onAccept: { _, _ in })
    }

    /// Who was reached, or why nobody.
    private func outcome(
        _ loop: Loop, _ addresses: [SocketAddress], _ limits: DialRace.Limits
    ) -> Result<SocketAddress, IOError>? {
        var outcomes: [Result<SocketAddress, IOError>] = []
        let race = DialRace(loop: loop, addresses: addresses, limits: limits) { result in
            outcomes.append(
                result.map { connection in
                    connection.close()
                    return connection.remote
                })
        }
        #expect(outcomes.isEmpty)
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while outcomes.isEmpty, SystemClock.monotonicMilliseconds() < end {
            loop.turn(maxWaitMilliseconds: 10)
        }
        for _ in 0..<5 { loop.turn(maxWaitMilliseconds: 1) }
        race.cancel()
        #expect(outcomes.count == 1)
        return outcomes.first
    }

    @Test func anAddressThatFailsIsFollowedByTheNextAtOnce() throws {
        let loop = try Loop()
        let listener = try listener(loop)
        defer { listener.close() }
        let outcome = outcome(
            loop, [refusing, refusing, listener.address], limits(silence: 86_400_000))
        #expect(outcome == .success(listener.address))
    }

    @Test func aSilentAddressIsNotWaitedFor() throws {
        let loop = try Loop()
        let listener = try listener(loop)
        defer { listener.close() }
        let silence = Silence()
        let outcome = outcome(
            loop, [silence.address, listener.address], limits(silence: 5))
        #expect(outcome == .success(listener.address))
    }

    @Test func theLastFailureIsTold() throws {
        let loop = try Loop()
        let silence = Silence()
        let refused = outcome(loop, [refusing], limits(silence: 5))
        #expect(
            refused
                == .failure(
                    IOError("connect", code: ECONNREFUSED, subject: refusing.description)))
        let silent = outcome(loop, [silence.address, refusing], limits(dial: 50, silence: 5))
        #expect(
            silent
                == .failure(
                    IOError("connect", code: ETIMEDOUT, subject: silence.address.description)))
        #expect(throws: IOError.self) { try outcome(loop, [], limits(silence: 5))?.get() }
    }

    @Test func aCancelledRaceIsNeverHeardOf() throws {
        let loop = try Loop()
        let silence = Silence()
        for isReleased in [true, false] {
            var race: DialRace? = DialRace(
                loop: loop, addresses: [silence.address, refusing], limits: limits(silence: 1)
            ) { _ in Issue.record("it was cancelled") }
            if isReleased { race = nil } else { race?.cancel() }
            for _ in 0..<10 { loop.turn(maxWaitMilliseconds: 1) }
            #expect((race == nil) == isReleased)
        }
    }
}
