import Glibc
import Testing

@testable import Node

@Suite struct ListenerTests {
    private let anywhere = Endpoint(host: "127.0.0.1", port: 0)

    @Test func dialledConnectionsAreAccepted() throws {
        let loop = try Loop()
        var accepted: [Connection] = []
        let listener = try Listener(
            loop: loop, endpoint: anywhere, onTrouble: { Issue.record($0) }
        ) { descriptor, remote in
            do throws(IOError) {
                accepted.append(try Connection(loop: loop, adopting: descriptor, remote: remote))
            } catch {
                Issue.record(error)
            }
        }
        var dialled: Connection?
        let dial = Dial(loop: loop, address: listener.address, timeoutMilliseconds: 60_000) {
            dialled = try? $0.get()
        }
        #expect(dialled == nil, "never from inside the call")
        while accepted.isEmpty || dialled == nil { loop.turn() }
        #expect(accepted[0].remote.isLoopback)
        var received = ""
        accepted[0].onBytes = {
            received += $0.text()
            return $0.count
        }
        dialled?.write(Array("hello".utf8))
        while received != "hello" { loop.turn() }
        dialled?.close()
        accepted[0].close()
        listener.close()
        dial.cancel()
    }

    @Test func aRefusedDialTellsSo() throws {
        let loop = try Loop()
        // Bound and not listening: nobody else can listen there meanwhile.
        let bound = try Listener(loop: loop, endpoint: anywhere, onTrouble: { _ in }) { _, _ in }
        bound.close()
        var error: IOError?
        let dial = Dial(loop: loop, address: bound.address, timeoutMilliseconds: 60_000) { result in
            if case .failure(let failure) = result { error = failure }
        }
        while error == nil { loop.turn() }
        #expect(error?.code == ECONNREFUSED)
        #expect(error?.description.contains("\(bound.address)") == true)
        dial.cancel()
    }

    @Test func aCancelledDialSaysNothing() throws {
        let loop = try Loop()
        let listener = try Listener(loop: loop, endpoint: anywhere, onTrouble: { _ in }) { _, _ in }
        let dial = Dial(loop: loop, address: listener.address, timeoutMilliseconds: 1) { _ in
            Issue.record("it was cancelled")
        }
        dial.cancel()
        var waited = false
        loop.schedule(at: Loop.clock() + 5_000_000) { waited = true }
        while !waited { loop.turn() }
        listener.close()
    }

    /// Out of descriptors the loop must not spin, and must go on afterwards.
    @Test func runningOutOfDescriptorsOnlyPausesAccepting() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let loop = try Loop()
            var accepted = 0
            var troubles: [IOError] = []
            let listener = try Listener(
                loop: loop, endpoint: Endpoint(host: "127.0.0.1", port: 0),
                onTrouble: { troubles.append($0) }
            ) { _, _ in accepted += 1 }
            let client = try Socket.connect(to: listener.address)
            var old = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
            // Below every open descriptor: no number is left for a new one.
            var none = rlimit(rlim_cur: 0, rlim_max: old.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            while troubles.isEmpty { loop.turn() }
            let before = loop.statistics.turns.count
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
            while accepted == 0 { loop.turn() }
            let turns = loop.statistics.turns.count - before
            _ = client.number
            exit(troubles[0].code == EMFILE && turns < 20 ? 7 : 1)
        }
    }
}
