import CLinux
import Glibc
import Testing

@testable import Node

@Suite struct OutputQueueTests {
    /// Both ends of a local stream, not blocking.
    private func sockets() -> (from: Int32, to: Int32) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    private func drain(_ socket: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }

    @Test(arguments: 0..<10)
    func everyByteLeavesOnceAndInOrder(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let (from, to) = sockets()
        defer {
            close(from)
            close(to)
        }
        var queue = OutputQueue()
        var expected: [UInt8] = []
        var received: [UInt8] = []
        for _ in 0..<300 {
            let sizes = [0, 1, 10, 3_000, 16_384, 100_000]
            let size = sizes.randomElement(using: &generator)!
            let piece = [UInt8](
                repeating: UInt8.random(in: 0...255, using: &generator), count: size)
            if Bool.random(using: &generator) {
                queue.append(piece)
            } else {
                queue.gather { $0.append(contentsOf: piece) }
            }
            expected += piece
            if Int.random(in: 0..<3, using: &generator) == 0 {
                _ = queue.send(to: from, maxBytes: .random(in: 1..<200_000, using: &generator))
            }
            if Int.random(in: 0..<4, using: &generator) == 0 { received += drain(to) }
        }
        while queue.send(to: from, maxBytes: .max) != .empty { received += drain(to) }
        received += drain(to)
        let isWhole = received == expected
        #expect(isWhole)
        #expect(queue.isEmpty)
    }

    @Test func tellsWhyItStopped() {
        let (from, to) = sockets()
        var queue = OutputQueue()
        #expect(queue.send(to: from, maxBytes: .max) == .empty)
        queue.append([UInt8](repeating: 1, count: 8_000_000))
        #expect(queue.send(to: from, maxBytes: .max) == .blocked)
        #expect(queue.byteCount > 0)
        close(to)
        #expect(queue.send(to: from, maxBytes: .max) == .failed(errno: EPIPE))
        queue.removeAll()
        #expect(queue.isEmpty)
        close(from)
    }
}
