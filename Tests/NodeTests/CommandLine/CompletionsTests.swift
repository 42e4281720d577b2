import Foundation
import Testing

@testable import Node

@Suite struct CompletionsTests {
    /// What bash offers behind these words; the last one is being typed.
    private func bash(_ words: [String]) throws -> [String] {
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let script =
            Completions.script(.bash, root: CommandTree.root)
                + """
                compopt() { :; }
                COMP_WORDS=(carillon \(quoted)); COMP_CWORD=\(words.count); _carillon
                printf '%s\\n' "${COMPREPLY[@]}"
                """
        let path = NSTemporaryDirectory() + "carillon-completion-" + UUID().uuidString
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["--norc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static let hasBash = FileManager.default.isExecutableFile(atPath: "/bin/bash")

    @Test(.enabled(if: hasBash)) func bashCompletesCommandsAndOptions() throws {
        #expect(try bash(["sch"]) == ["schedule"])
        #expect(try bash(["schedule", "pre"]) == ["preview"])
        #expect(try bash(["-o", "json", "task", "li"]) == ["list"])
        #expect(try bash(["task", "list", "--sche"]) == ["--schedule"])
        // The value of an option is no command.
        #expect(try bash(["task", "list", "--queue", "dead", "--ha"]) == ["--handler"])
        #expect(try bash(["task", "list", "-o", ""]) == ["table", "json"])
        #expect(try bash(["node", "--config", ""]) == [])
    }

    /// Nothing of the tree is missing.
    @Test(arguments: Completions.Shell.allCases)
    func everyCommandIsThere(_ shell: Completions.Shell) {
        let script = Completions.script(shell, root: CommandTree.root)
        func check(_ command: CommandSpec) {
            for one in command.subcommands {
                #expect(script.contains(one.name), "\(one.name)")
                check(one)
            }
        }
        check(CommandTree.root)
    }

    @Test func anUnknownShellIsRefused() {
        let console = Console(capturingAsTerminal: false)
        #expect(CommandLineTool.run(["completions", "tcsh"], console: console) == 2)
        #expect(console.errors.contains("expected bash, zsh or fish"))
    }
}
