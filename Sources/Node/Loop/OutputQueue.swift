import CLinux
import Glibc

/// Bytes on their way to a socket. Small pieces gather in one buffer, so that a turn's worth of them
/// leaves in one system call; large pieces are queued as they are, without a copy.
struct OutputQueue {
    /// A piece from this size on is not copied.
    static let minUncopiedBytes = 16 * 1024
    /// A gathering buffer is closed beyond this size.
    private static let maxGatheredBytes = 64 * 1024
    /// An emptied buffer is kept for reuse up to this capacity: it is held by every idle connection.
    private static let maxSpareBytes = 4 * 1024

    enum Outcome: Equatable {
        case empty
        /// The socket takes no more, or the call's bound was reached.
        case blocked
        case failed(errno: Int32)
    }

    private var chunks: [[UInt8]] = []
    private var first = 0
    private var firstOffset = 0
    private var isLastGathering = false
    private var spare: [UInt8] = []
    /// Bytes not yet taken by the socket.
    private(set) var byteCount = 0

    var isEmpty: Bool { byteCount == 0 }

    /// Lets `body` append to the gathering buffer. It must only append.
    mutating func gather(_ body: (inout [UInt8]) -> Void) {
        if !isLastGathering || chunks[chunks.count - 1].count >= OutputQueue.maxGatheredBytes {
            chunks.append(spare)
            spare = []
            isLastGathering = true
        }
        let last = chunks.count - 1
        let before = chunks[last].count
        body(&chunks[last])
        byteCount += chunks[last].count - before
    }

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if bytes.count < OutputQueue.minUncopiedBytes {
            gather { $0.append(contentsOf: bytes) }
        } else {
            chunks.append(bytes)
            isLastGathering = false
            byteCount += bytes.count
        }
    }

    mutating func removeAll() {
        chunks.removeAll()
        first = 0
        firstOffset = 0
        isLastGathering = false
        byteCount = 0
    }

    /// Sends until empty, blocked, failed, or `maxBytes` were taken.
    mutating func send(to descriptor: Int32, maxBytes: Int) -> Outcome {
        var sent = 0
        while first < chunks.count {
            let size = chunks[first].count - firstOffset
            if size == 0 {
                advance()
                continue
            }
            guard sent < maxBytes else { return .blocked }
            let isLast = first == chunks.count - 1
            // MSG_MORE joins this chunk's tail and the next one's head in one packet.
            // MSG_NOSIGNAL: a peer that went away must not kill the process.
            let more = isLast ? 0 : Int32(MSG_MORE)
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT) | more
            let offset = firstOffset
            let count = chunks[first].withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress! + offset, size, flags)
            }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                return code == EAGAIN || code == EWOULDBLOCK ? .blocked : .failed(errno: code)
            }
            sent += count
            byteCount -= count
            firstOffset += count
        }
        precondition(byteCount == 0)
        return .empty
    }

    private mutating func advance() {
        let isGathering = isLastGathering && first == chunks.count - 1
        firstOffset = 0
        if isGathering {
            isLastGathering = false
            if chunks[first].capacity <= OutputQueue.maxSpareBytes {
                swap(&spare, &chunks[first])
                spare.removeAll(keepingCapacity: true)
            }
        }
        chunks[first] = []
        first += 1
        if first == chunks.count {
            chunks.removeAll(keepingCapacity: chunks.capacity <= 8)
            first = 0
        } else if first >= 64 {
            chunks.removeFirst(first)
            first = 0
        }
    }
}
