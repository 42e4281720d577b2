import Glibc

/// A process of this program that runs seeds for its parent. The code under test may trap, which ends the
/// process and nothing else; the parent knows which seed it had in hand.
final class Shard {
    let pid: pid_t
    let output: Int32
    private let input: Int32
    private var buffer: [UInt8] = []
    private(set) var seed: UInt64?
    private(set) var hasEnded = false

    /// nil: the system did not give a process, or its pipes.
    init?(options: Options) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0 else { return nil }
        guard pipe(&fromChild) == 0 else { return nil }
        // Other shards must not hold these ends open: a shard ends when its parent does.
        for descriptor in [toChild[1], fromChild[0]] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, toChild[0])
        posix_spawn_file_actions_addclose(&actions, fromChild[1])
        defer { posix_spawn_file_actions_destroy(&actions) }
        var arguments = ["Simulator", "--shard", "--seconds", "\(options.chaosSeconds)"]
        if options.schedules > 0 { arguments += ["--schedules", "\(options.schedules)"] }
        if options.runsTwice { arguments.append("--twice") }
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var variables: [UnsafeMutablePointer<CChar>?] =
            Self.environment.map { strdup($0) } + [nil]
        defer { for variable in variables { free(variable) } }
        var child: pid_t = 0
        let error = posix_spawn(
            &child, "/proc/self/exe", &actions, nil, &pointers, &variables)
        close(toChild[0])
        close(fromChild[1])
        guard error == 0 else {
            close(toChild[1])
            close(fromChild[0])
            return nil
        }
        pid = child
        input = toChild[1]
        output = fromChild[0]
    }

    /// What decides how the runtime behaves; nothing else may.
    private static var environment: [String] {
        // A backtrace takes seconds, and the seed is known without it: only for those who ask.
        let defaults = [("SWIFT_BACKTRACE", "enable=no"), ("LD_LIBRARY_PATH", "")]
        return defaults.map { name, value in
            "\(name)=\(getenv(name).map { String(cString: $0) } ?? value)"
        }
    }

    func begin(_ seed: UInt64, tells: Bool = false) {
        self.seed = seed
        var line = Array("\(tells ? "tell" : "run") \(seed)\n".utf8)
        // A shard that has died is noticed by the end of its output.
        _ = write(input, &line, line.count)
    }

    /// Takes what has arrived; blocks if nothing has. An end of the output is `hasEnded`.
    func read() -> [ShardReply] {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(output, &chunk, chunk.count)
        guard count > 0 else {
            if count < 0, errno == EINTR { return [] }
            hasEnded = true
            return []
        }
        buffer += chunk[..<count]
        guard let end = buffer.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 1)
        let replies = text.split(separator: "\n").compactMap { ShardReply(line: $0) }
        for reply in replies {
            if case .event = reply { continue }
            seed = nil
        }
        return replies
    }

    /// Ends the process, and tells how it ended.
    func end() -> String {
        close(input)
        close(output)
        if !hasEnded { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? "it ended with status \(status >> 8 & 0xff)" : "signal \(signal)"
    }
}
