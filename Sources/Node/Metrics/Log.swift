import Glibc
import Synchronization

/// Writes the log to a descriptor, from any thread, and never waits for whoever reads it: a line that
/// finds the pipe full is dropped, and the next one that gets through says how many were.
final class Log: Sendable {
    let level: LogLevel
    let format: LogFormat
    private let descriptor: Int32
    private let dropped = Atomic<Int>(0)

    init(
        level: LogLevel = .info, format: LogFormat = .text, descriptor: Int32 = STDERR_FILENO
    ) {
        self.level = level
        self.format = format
        self.descriptor = descriptor
    }

    func debug(
        _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        write(.debug, message, fields)
    }

    func info(
        _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        write(.info, message, fields)
    }

    func warning(
        _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        write(.warning, message, fields)
    }

    func error(
        _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        write(.error, message, fields)
    }

    /// Lines that nobody could read.
    var droppedLines: Int { dropped.load(ordering: .relaxed) }

    /// Message and fields are made only for a line that will be written.
    @inline(__always)
    private func write(
        _ level: LogLevel, _ message: () -> String, _ fields: () -> KeyValuePairs<String, LogValue>
    ) {
        guard level >= self.level else { return }
        write(
            LogLine(
                timeMilliseconds: SystemClock.wallMilliseconds(), level: level, message: message(),
                fields: fields().map { (name: $0.key, value: $0.value) }))
    }

    private func write(_ original: LogLine) {
        guard isWritable else {
            dropped.add(1, ordering: .relaxed)
            return
        }
        var line = original
        let lost = dropped.exchange(0, ordering: .relaxed)
        if lost > 0 { line.fields.append((name: "droppedLines", value: .integer(Int64(lost)))) }
        let bytes = line.encoded(format)
        // One call a line, so that lines of two threads don't mix. What can't be written can't be told.
        let written = Glibc.write(descriptor, bytes, bytes.count)
        if written != bytes.count { dropped.add(lost + 1, ordering: .relaxed) }
    }

    /// A pipe says so only while a whole page fits, so the write that follows doesn't block, unless
    /// another thread fills it between: then it waits, which is rare and harmless. A file is always writable.
    private var isWritable: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
    }
}
