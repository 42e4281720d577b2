import Glibc
import Testing

@testable import Node

struct SystemThreadTests {
    private static let signals = [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1]

    private static func blockedHere() -> [Int32] {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return signals.filter { sigismember(&mask, $0) == 1 }
    }

    @Test func `no signal reaches a thread, and join waits for its end`() throws {
        let blocked = BlockingQueue<[Int32]>()
        let thread = try SystemThread(name: "test") { blocked.put(Self.blockedHere()) }
        thread.join()
        thread.join()
        blocked.close()
        #expect(blocked.take() == Self.signals)
    }

    @Test func `no signal reaches a detached thread`() throws {
        let blocked = BlockingQueue<[Int32]>()
        try SystemThread.detached(name: "test") { blocked.put(Self.blockedHere()) }
        #expect(blocked.take() == Self.signals)
    }

    @Test func `a child of such a thread blocks no signal`() throws {
        let launched = BlockingQueue<LaunchedProcess>()
        try SystemThread.detached(name: "test") {
            launched.put(
                LaunchedProcess.launch(
                    arguments: ["/bin/sh", "-c", "grep SigBlk /proc/self/status"],
                    environment: ["PATH=/usr/bin:/bin"]))
        }
        let process = try #require(launched.take()).take()
        var bytes = [UInt8](repeating: 0, count: 256)
        var poller = pollfd(fd: process.output.number, events: Int16(POLLIN), revents: 0)
        #expect(poll(&poller, 1, 60_000) == 1)
        let count = read(process.output.number, &bytes, bytes.count)
        process.end()
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        #expect(text == "SigBlk:\t0000000000000000\n")
    }
}
