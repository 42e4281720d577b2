import Glibc
import Testing

@testable import Node

@Suite struct SignalTests {
    @Test func signalsArriveAsEventsOfTheLoop() async {
        // In a process of its own: blocking signals would change the other tests.
        await #expect(processExitsWith: .exitCode(7)) {
            Signals.block()
            let loop = try Loop()
            var seen: [Signal] = []
            try loop.onSignal { signal in
                seen.append(signal)
                if seen.count == 3 { loop.stop() }
            }
            // To this thread: the test process has older ones, which do not block them.
            for signal in [SIGHUP, SIGINT, SIGTERM] { raise(signal) }
            loop.run()
            // A broken pipe fails the write and does not kill.
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            let written = write(ends[1], "x", 1)
            exit(written == -1 && Set(seen) == [.hangUp, .interrupt, .terminate] ? 7 : 1)
        }
    }
}
