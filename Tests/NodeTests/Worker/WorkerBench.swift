import Glibc
import Scheduler
import Testing

@testable import Node

/// A worker on a loop of its own, driven by the test.
final class WorkerBench {
    let loop: Loop
    let worker: LocalWorker
    private(set) var finishes: [Finish] = []
    private(set) var revoked: [TaskID] = []
    private(set) var reports: [AttemptProgress] = []
    private(set) var log: [UInt8] = []
    private var nextTask: UInt64 = 1

    init(
        _ handlers: [String: HandlerDefinition] = [:], inherited: [String]? = nil,
        graceMilliseconds: Int64 = 200
    ) throws {
        loop = try Loop()
        worker = LocalWorker(
            loop: loop, handlers: handlers,
            environment: inherited.map { AttemptEnvironment(inherited: $0) } ?? .ofProcess(),
            graceMilliseconds: graceMilliseconds)
        worker.onFinish = { [unowned self] in finishes.append($0) }
        worker.onRevoked = { [unowned self] in revoked.append($0.task) }
        worker.onProgress = { [unowned self] in reports.append($1) }
        worker.onLog = { [unowned self] in log.append(contentsOf: $1) }
    }

    /// A shell script as a handler named `run`.
    convenience init(
        script: String, timeoutMilliseconds: Int64? = nil, graceMilliseconds: Int64 = 200
    ) throws {
        try self.init(
            [
                "run": .command(
                    CommandHandler(
                        arguments: ["/bin/sh", "-c", script],
                        timeoutMilliseconds: timeoutMilliseconds))
            ], graceMilliseconds: graceMilliseconds)
    }

    func assignment(
        _ handler: String = "run", payload: String = "null", attempt: UInt32 = 1,
        timeoutMilliseconds: Int64 = 60_000, schedule: String? = nil, inputs: [TaskInput] = []
    ) -> Assignment {
        defer { nextTask += 1 }
        return Assignment(
            worker: "w1", incarnation: 1, task: TaskID(nextTask), attempt: attempt,
            fence: 900 + nextTask,
            handler: handler, payload: Array(payload.utf8),
            timeoutMilliseconds: timeoutMilliseconds,
            scheduledAt: 1_795_248_260_500, assignedAt: 1_795_248_260_600,
            occurrence: schedule.map { "\($0)@2026-11-21T08:04:20Z" }, schedule: schedule,
            inputs: inputs)
    }

    /// Turns the loop until the condition holds; the bound only ends a test that hangs.
    func turn(until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while !condition() {
            guard SystemClock.monotonicMilliseconds() < end else {
                Issue.record("nothing more happens", sourceLocation: location)
                return
            }
            loop.turn(maxWaitMilliseconds: 50)
        }
    }

    /// Starts an attempt and waits for its end.
    func run(
        _ assignment: Assignment, _ location: SourceLocation = #_sourceLocation
    ) -> AttemptResult? {
        let before = finishes.count
        worker.start(assignment)
        turn(until: { finishes.count > before }, location)
        guard finishes.count == before + 1, let finish = finishes.last else { return nil }
        #expect(finish.task == assignment.task, sourceLocation: location)
        #expect(finish.attempt == assignment.attempt, sourceLocation: location)
        #expect(finish.fence == assignment.fence, sourceLocation: location)
        return finish.result
    }

    var logText: String { String(decoding: log, as: UTF8.self) }
}

extension AttemptResult {
    /// The result's JSON.
    var text: String? {
        guard case .succeeded(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    var failure: Failure? {
        guard case .failed(let failure) = self else { return nil }
        return failure
    }
}

/// A directory that is gone when the test is over.
final class ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/carillon-worker-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw IOError("mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["pid", "out", "started", "tool"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func text(_ name: String) -> String? {
        guard let file = fopen("\(path)/\(name)", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    func write(_ text: String, to name: String, mode: mode_t) {
        guard let file = fopen("\(path)/\(name)", "w") else { return }
        fputs(text, file)
        fclose(file)
        chmod("\(path)/\(name)", mode)
    }
}

enum ProcessState {
    /// Whether a process runs; one that only waits to be reaped doesn't.
    static func isRunning(_ id: Int) -> Bool {
        guard let file = fopen("/proc/\(id)/stat", "r") else { return false }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = fread(&buffer, 1, buffer.count, file)
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        guard let state = text.split(separator: ")").last?.split(separator: " ").first else {
            return false
        }
        return state != "Z" && state != "X"
    }

    /// What the descriptors of this process refer to.
    static func descriptors() -> [String] {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var result: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [UInt8](repeating: 0, count: 256)
            let count = target.withUnsafeMutableBytes {
                readlink(
                    "/proc/self/fd/\(name)", $0.baseAddress!.assumingMemoryBound(to: CChar.self),
                    256)
            }
            if count > 0 { result.append(String(decoding: target[..<count], as: UTF8.self)) }
        }
        return result
    }
}
