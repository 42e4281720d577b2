import Glibc

/// Our end of a pipe that a process writes into.
final class PipeReader {
    private let loop: Loop
    private var descriptor: Descriptor?
    private var registration: Registration?
    private let onBytes: (ArraySlice<UInt8>) -> Void

    init(
        _ descriptor: consuming Descriptor, loop: Loop,
        onBytes: @escaping (ArraySlice<UInt8>) -> Void
    ) throws(IOError) {
        let number = descriptor.number
        self.loop = loop
        self.descriptor = consume descriptor
        self.onBytes = onBytes
        // Level-triggered and one read a turn: no process can hold the loop by writing without end.
        registration = try loop.register(number, for: .readable) { [unowned self] _ in
            if read() == nil { close() }
        }
    }

    /// Reads what the process left behind, up to a bound, and closes. Does not wait for the end of the
    /// stream: a grandchild may hold the other end open for hours.
    func drainAndClose() {
        var total = 0
        while total < WorkerLimits.maxDrainBytes, let count = read(), count > 0 { total += count }
        close()
    }

    func close() {
        if let registration { loop.deregister(registration) }
        registration = nil
        descriptor = nil
    }

    /// Bytes read; 0 if there are none now, nil at the end of the stream.
    private func read() -> Int? {
        guard let number = registration?.descriptor else { return nil }
        let limit = min(loop.scratch.count, WorkerLimits.maxReadBytes)
        let count = Glibc.read(number, loop.scratch.baseAddress, limit)
        if count > 0 {
            onBytes(Array(loop.scratch[..<count])[...])
            return count
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
        return nil
    }
}

/// Our end of a pipe that a process reads from: writes all bytes as fast as it takes them, then closes.
/// A process that doesn't care for its input closes its end, which is no failure.
final class PipeWriter {
    private let loop: Loop
    private var descriptor: Descriptor?
    private var registration: Registration?
    private var bytes: [UInt8]
    private var offset = 0

    init(
        _ descriptor: consuming Descriptor, writing bytes: [UInt8], loop: Loop
    ) throws(IOError) {
        let number = descriptor.number
        self.loop = loop
        self.descriptor = consume descriptor
        self.bytes = bytes
        // Usually the pipe holds it all, and there is nothing to watch.
        guard write(to: number) else {
            close()
            return
        }
        registration = try loop.register(number, for: .writable) { [unowned self] _ in
            if !write(to: number) { close() }
        }
    }

    func close() {
        if let registration { loop.deregister(registration) }
        registration = nil
        descriptor = nil
        bytes = []
    }

    /// Whether there is more to write. Needs SIGPIPE blocked or ignored.
    private func write(to number: Int32) -> Bool {
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(number, buffer.baseAddress! + offset, buffer.count - offset)
            }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                return true
            } else if errno != EINTR {
                return false
            }
        }
        return false
    }
}
