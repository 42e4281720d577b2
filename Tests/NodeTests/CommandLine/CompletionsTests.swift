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

    @Test(.enabled(if: hasBash)) func bashCompletesValuesThatAreAFewWords() throws {
        #expect(try bash(["task", "list", "--state", "s"]) == ["scheduled", "succeeded"])
        #expect(try bash(["submit", "echo", "--delivery", "atM"]) == ["atMostOnce"])
        #expect(try bash(["submit", "--on-dependency-failure", ""]) == ["cancel", "run", "hold"])
        #expect(try bash(["schedule", "create", "--overlap", "c"]) == ["cancelOther"])
        #expect(try bash(["completions", ""]).prefix(3) == ["bash", "zsh", "fish"])
        #expect(try bash(["submit", "--payload", ""]) == [])
    }

    /// The line that offers a command's words behind a path: a name alone stands in many other places as well.
    private static func offer(
        _ shell: Completions.Shell, _ path: [String], in lines: [Substring]
    ) -> [Substring] {
        let place = path.joined(separator: " ")
        return lines.filter { line in
            let code = line.drop { $0 == " " }
            return switch shell {
            case .bash: code.hasPrefix("'\(place)') words=")
            case .zsh: code.hasPrefix("'\(place)') found=")
            case .fish: code.hasPrefix("complete -c carillon -n '__carillon_place \"\(place)\"' ")
            }
        }
    }

    private static func offers(
        _ shell: Completions.Shell, _ line: Substring, _ command: CommandSpec
    ) -> Bool {
        switch shell {
        case .bash: line.split { " '".contains($0) }.contains(Substring(command.name))
        case .zsh: line.contains("'\(command.name):\(command.summary.prefix(8))")
        case .fish: line.contains(" -f -a \(command.name) -d ")
        }
    }

    /// Nothing of the tree is missing, and each command is offered in its place.
    @Test(arguments: Completions.Shell.allCases)
    func everyCommandIsThere(_ shell: Completions.Shell) {
        let lines = Completions.script(shell, root: CommandTree.root).split(separator: "\n")
        var count = 0
        func check(_ command: CommandSpec, _ path: [String]) {
            let offer = Self.offer(shell, path, in: lines)
            for one in command.subcommands {
                #expect(
                    offer.contains { Self.offers(shell, $0, one) }, "\(path) \(one.name)")
                count += 1
                check(one, path + [one.name])
            }
        }
        check(CommandTree.root, [])
        #expect(count > 50)
    }

    @Test func anUnknownShellIsRefused() {
        let console = Console(capturingAsTerminal: false)
        #expect(CommandLineTool.run(["completions", "tcsh"], console: console) == 2)
        #expect(console.errors.contains("expected bash, zsh or fish"))
    }
}
