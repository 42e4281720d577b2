import Glibc

/// A command of the user's, run by the shell.
enum ShellCommand {
    private static let maxOutputBytes = 64 << 10

    /// A template with a node's id, which needs no quotes, for each `{id}`.
    static func text(_ template: String, id: String) -> String {
        template.replacing("{id}", with: id)
    }

    /// Starts it on the loop; `onExit` hears of its end, nil if it went well, else how it ended.
    static func start(
        _ text: String, on loop: Loop, onExit: @escaping (String?) -> Void
    ) throws(CommandFailure) -> ChildProcess {
        let variables = try Environment.all().map { "\($0.key)=\($0.value)" }
        do throws(IOError) {
            let process = try SpawnedProcess.launch(
                arguments: ["/bin/sh", "-c", text], environment: variables)
            return try ChildProcess(
                process, loop: loop, input: [], maxOutputBytes: maxOutputBytes,
                onProgress: { _ in }, onLog: { _ in }
            ) { exit in
                switch exit.status {
                case .exited(code: 0): onExit(nil)
                case .exited(let code):
                    onExit("\(text): exit status \(code) \(exit.lastErrorLine)")
                case .signaled(let signal): onExit("\(text): ended by signal \(signal)")
                }
            }
        } catch {
            throw .failed("\(text): \(error.description)")
        }
    }

    /// Runs it to its end.
    static func run(_ text: String) throws(CommandFailure) {
        let loop = try BenchSession.loop()
        var failure: String?
        let process = try start(text, on: loop) {
            failure = $0
            loop.stop()
        }
        loop.run()
        withExtendedLifetime(process) {}
        if let failure { throw .failed(failure) }
    }
}
