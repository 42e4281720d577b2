import Foundation
import Glibc

/// A process that a test started, by its pid. Its output goes to a file.
final class TestProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    let pid: pid_t
    private(set) var ending: Ending?

    /// - Parameter output: file that standard output and standard error are appended to.
    init(_ executable: String, _ arguments: [String], output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A test may run on a thread of Dispatch, which blocks signals; the process would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let inherited = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("CARILLON_")
        }
        var variables = inherited.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { variables.forEach { free($0) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, executable, &actions, &attributes, &words, &variables)
        guard status == 0 else {
            throw Failure(
                description: "cannot start \(executable): \(String(cString: strerror(status)))")
        }
        self.pid = pid
    }

    deinit {
        guard ending == nil else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Only to a process that has not been waited for, so the pid is still its own.
    func signal(_ number: Int32) {
        if ending == nil { Glibc.kill(pid, number) }
    }

    /// Whether it has ended by now.
    func poll() -> Bool {
        if ending != nil { return true }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        let signal = status & 0x7F
        ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        return true
    }

    func waitForEnd(withinSeconds seconds: Double = 30) throws -> Ending {
        try eventually("process \(pid) ends", withinSeconds: seconds) { poll() }
        guard let ending else { throw Failure(description: "process \(pid) has no exit status") }
        return ending
    }
}
