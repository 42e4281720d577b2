import CLinux
import Glibc
import Raft
import Scheduler

/// A process that runs an attempt, on the loop: its input, output, log, progress and end.
///
/// Its end is what its process handle says, never the end of its output: a grandchild may keep that
/// open. It is reaped only after the last signal was sent to its group, so that no signal can reach a
/// stranger that got the number since.
final class ChildProcess {
    /// How the process ended, and what it left.
    struct Exit: Sendable {
        let status: Status
        let output: [UInt8]
        /// There was more output than a result may have.
        let isOutputCutOff: Bool
        let lastErrorLine: String

        enum Status: Equatable, Sendable {
            case exited(code: Int32)
            case signaled(Int32)
        }
    }

    private let loop: Loop
    private let id: pid_t
    private let maxOutputBytes: Int
    private var handle: Descriptor?
    private var handleRegistration: Registration?
    private var input: PipeWriter?
    private var readers: [PipeReader] = []
    private var killTimer: TimerID?
    private var killDeadline: Nanoseconds = .max

    private var output: [UInt8] = []
    private var isOutputCutOff = false
    private var errorTail = ByteTail(maxBytes: WorkerLimits.maxErrorTailBytes)
    private var logBytes = 0
    private var progressLines = ProgressLines()

    private let onProgress: (AttemptProgress) -> Void
    private let onLog: (ArraySlice<UInt8>) -> Void
    private let onExit: (Exit) -> Void

    /// Takes over a process just launched. `onExit` is called once, never from within this call; before
    /// it, `onProgress` and `onLog` as reports come in.
    init(
        _ process: consuming SpawnedProcess, loop: Loop, input bytes: [UInt8],
        maxOutputBytes: Int = WorkerLimits.maxResultBytes,
        onProgress: @escaping (AttemptProgress) -> Void,
        onLog: @escaping (ArraySlice<UInt8>) -> Void, onExit: @escaping (Exit) -> Void
    ) throws(IOError) {
        self.loop = loop
        self.maxOutputBytes = maxOutputBytes
        self.onProgress = onProgress
        self.onLog = onLog
        self.onExit = onExit
        id = process.id
        let handleNumber = process.handle.number
        handle = consume process.handle
        do {
            input = try PipeWriter(process.input, writing: bytes, loop: loop)
            readers.append(
                try PipeReader(process.output, loop: loop) { [unowned self] in takeOutput($0) })
            readers.append(
                try PipeReader(process.error, loop: loop) { [unowned self] in takeError($0) })
            readers.append(
                try PipeReader(process.progress, loop: loop) { [unowned self] in takeProgress($0) })
            handleRegistration = try loop.register(handleNumber, for: .readable) {
                [unowned self] _ in end()
            }
        } catch {
            abandon()
            throw error
        }
    }

    deinit {
        if handleRegistration != nil { abandon() }
    }

    /// Asks the whole group to end, and ends it by force after the grace. A second call can only shorten
    /// the time that is left.
    func terminate(graceMilliseconds: Int64) {
        guard handleRegistration != nil else { return }
        if killTimer == nil { kill(-id, SIGTERM) }
        let deadline = loop.now + UInt64(max(0, graceMilliseconds)) * 1_000_000
        guard deadline < killDeadline else { return }
        if let killTimer { loop.cancel(killTimer) }
        killDeadline = deadline
        killTimer = loop.schedule(at: deadline) { [unowned self] in kill(-id, SIGKILL) }
    }

    /// Ends the whole group by force, now.
    func killGroup() {
        guard handleRegistration != nil else { return }
        kill(-id, SIGKILL)
    }

    private func end() {
        // Whoever of the group outlived SIGTERM's addressee has had its chance; see the type's comment
        // on why this stands before the reaping.
        if killTimer != nil { kill(-id, SIGKILL) }
        var status: Int32 = 0
        let reaped = waitpid(id, &status, WNOHANG)
        if reaped == 0 || (reaped < 0 && errno == EINTR) { return }
        precondition(reaped == id, "our own child, reaped by nobody else: errno \(errno)")
        closeHandle()
        for reader in readers { reader.drainAndClose() }
        readers = []
        finishProgress()
        onExit(
            Exit(
                status: Self.status(status), output: output, isOutputCutOff: isOutputCutOff,
                lastErrorLine: errorTail.lastLine))
    }

    /// Nothing runs on unwatched: after a failure half way through the set-up, or without an owner.
    private func abandon() {
        SpawnedProcess.end(id)
        closeHandle()
        for reader in readers { reader.close() }
        readers = []
    }

    private func closeHandle() {
        if let handleRegistration { loop.deregister(handleRegistration) }
        handleRegistration = nil
        handle = nil
        input?.close()
        input = nil
        if let killTimer { loop.cancel(killTimer) }
        killTimer = nil
    }

    /// The encoding of a status that `wait` gives: the macros are not imported.
    private static func status(_ status: Int32) -> Exit.Status {
        let signal = status & 0x7F
        return signal == 0 ? .exited(code: status >> 8 & 0xFF) : .signaled(signal)
    }

    // MARK: What it says

    private func takeOutput(_ bytes: ArraySlice<UInt8>) {
        let room = maxOutputBytes + 1 - output.count
        output.append(contentsOf: bytes.prefix(max(0, room)))
        if bytes.count > room { isOutputCutOff = true }
    }

    private func takeError(_ bytes: ArraySlice<UInt8>) {
        errorTail.append(bytes)
        log(bytes)
    }

    private func takeProgress(_ bytes: ArraySlice<UInt8>) {
        var complaints: [String] = []
        if let report = progressLines.take(bytes, complaints: &complaints) { onProgress(report) }
        logComplaints(complaints)
    }

    private func finishProgress() {
        var complaints: [String] = []
        if let report = progressLines.finish(complaints: &complaints) { onProgress(report) }
        logComplaints(complaints)
    }

    private func logComplaints(_ complaints: [String]) {
        for complaint in complaints { log(Array("carillon: \(complaint)\n".utf8)[...]) }
    }

    /// Passes on at most the attempt's share, and says once that it is used up.
    private func log(_ bytes: ArraySlice<UInt8>) {
        let room = WorkerLimits.maxLogBytesPerAttempt - logBytes
        guard room > 0 else { return }
        logBytes += bytes.count
        onLog(bytes.prefix(room))
        if bytes.count >= room {
            onLog(Array("\ncarillon: the log is full, what follows is not kept\n".utf8)[...])
        }
    }
}
