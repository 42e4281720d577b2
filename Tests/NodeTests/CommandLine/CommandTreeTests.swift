import Testing

@testable import Node

struct CommandTreeTests {
    private static func all(_ command: CommandSpec, _ path: [String]) -> [([String], CommandSpec)] {
        let path = path + [command.name]
        return [(path, command)] + command.subcommands.flatMap { all($0, path) }
    }

    private static var commands: [([String], CommandSpec)] { all(CommandTree.root, []) }

    @Test func `each command runs or holds others`() {
        for (path, command) in Self.commands {
            #expect(
                (command.run == nil) != command.subcommands.isEmpty,
                "\(path.joined(separator: " "))")
        }
    }

    @Test func `names of commands and options are unique`() {
        for (path, command) in Self.commands {
            let names = command.subcommands.map(\.name)
            #expect(Set(names).count == names.count, "\(path)")
            let spellings = command.allOptions.flatMap {
                ["--" + $0.name] + ($0.short.map { ["-" + $0] } ?? [])
            }
            #expect(Set(spellings).count == spellings.count, "\(path)")
        }
    }

    @Test func `each help names its options and fits a terminal`() {
        for (path, command) in Self.commands {
            let text = CommandHelp.text(command, path: path)
            for option in command.allOptions {
                #expect(text.contains("--\(option.name)"), "\(path)")
            }
            for subcommand in command.subcommands {
                #expect(text.contains("  \(subcommand.name) "), "\(path)")
            }
            for line in text.split(separator: "\n") { #expect(line.count <= 110, "\(line)") }
        }
    }

    @Test func `the examples of the help are taken by the parser`() throws {
        var count = 0
        for (_, command) in Self.commands {
            for example in command.examples {
                count += 1
                _ = try CommandParser.parse(
                    Array(Self.words(example).dropFirst()), root: CommandTree.root)
            }
        }
        #expect(count > 5, "the examples were not found")
    }

    /// As a shell takes a line apart, single quotes only.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "'" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }

    @Test func `usage errors end with status 2 and help with 0`() {
        let console = Console(capturingAsTerminal: false)
        let wrong = ["submit", "echo", "--after", "t1", "--on-dependency-failure", "wait"]
        #expect(CommandLineTool.run(wrong, console: console) == 2)
        #expect(console.errors.contains("expected cancel, run or hold"))
        #expect(CommandLineTool.run(["submit", "--help"], console: console) == 0)
        #expect(console.output.contains("--payload JSON|@FILE|-"))
        #expect(console.output.contains("--after ID"))
        #expect(CommandLineTool.run(["--version"], console: console) == 0)
    }
}
