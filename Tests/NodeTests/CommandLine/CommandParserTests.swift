import Testing

@testable import Node

struct CommandParserTests {
    private static let root = CommandSpec(
        name: "tool", summary: "a tool",
        subcommands: [
            CommandSpec(
                name: "put", summary: "put things",
                operands: [OperandSpec(name: "NAME"), OperandSpec(name: "MORE", isOptional: true)],
                options: [
                    OptionSpec(
                        name: "tag", short: "t", value: "TAG", summary: "", isRepeated: true),
                    OptionSpec(name: "count", value: "N", summary: ""),
                    OptionSpec(name: "wait", summary: ""),
                ],
                run: { (_) throws(CommandFailure) in 0 }),
            CommandSpec(
                name: "group", summary: "more",
                subcommands: [
                    CommandSpec(
                        name: "all", summary: "",
                        operands: [OperandSpec(name: "ID", isRepeated: true)],
                        options: [
                            OptionSpec(name: "to", value: "X", summary: "", isRequired: true)
                        ],
                        usesCluster: false, run: { (_) throws(CommandFailure) in 0 })
                ]),
        ])

    private struct Parsed: Equatable {
        var path: [String]
        var operands: [String]
        var values: [String: [String]]
    }

    private func parse(_ words: String...) throws -> Parsed {
        switch try CommandParser.parse(words, root: Self.root) {
        case .run(_, let path, let operands, let values):
            Parsed(path: path, operands: operands, values: values)
        case .help(_, let path): Parsed(path: path + ["(help)"], operands: [], values: [:])
        }
    }

    private func failure(_ words: String...) -> CommandFailure? {
        do throws(CommandFailure) {
            _ = try CommandParser.parse(words, root: Self.root)
            return nil
        } catch {
            return error
        }
    }

    @Test func `options may stand anywhere and in every form`() throws {
        let expected = Parsed(
            path: ["tool", "put"], operands: ["a", "b"],
            values: ["tag": ["x", "y"], "count": ["3"], "wait": [""], "output": ["json"]])
        #expect(
            try parse("-ojson", "put", "--tag", "x", "a", "--count=3", "-ty", "b", "--wait")
                == expected)
    }

    @Test func `values keep equals signs, minus signs and emptiness`() throws {
        #expect(try parse("put", "a", "--tag=k=v").values == ["tag": ["k=v"]])
        #expect(try parse("put", "a", "--count", "-1").values == ["count": ["-1"]])
        #expect(try parse("put", "a", "--count", "").values == ["count": [""]])
        #expect(try parse("put", "-").operands == ["-"])
    }

    @Test func `two dashes end the options`() throws {
        #expect(try parse("put", "--", "--wait").operands == ["--wait"])
    }

    @Test func `help is found at every level`() throws {
        #expect(try parse().path == ["tool", "(help)"])
        #expect(try parse("--help").path == ["tool", "(help)"])
        #expect(try parse("group", "all", "-h").path == ["tool", "group", "all", "(help)"])
        #expect(try parse("help", "group", "all").path == ["tool", "group", "all", "(help)"])
    }

    @Test(arguments: [
        (["pit", "a"], "unknown command \"pit\"; did you mean \"put\"?"),
        (["group", "al"], "unknown command \"al\"; did you mean \"all\"?"),
        (["put", "a", "--wiat"], "unknown option --wiat; did you mean --wait?"),
        (["put", "a", "--quux"], "unknown option --quux"),
        (["group"], "which one? all"),
        (["put"], "NAME is missing"),
        (["put", "a", "b", "c"], "unexpected argument \"c\""),
        (["put", "a", "--count"], "--count needs a value: --count N"),
        (["put", "a", "--count", "--wait"], "--count needs a value: --count N"),
        (["put", "a", "--wait=1"], "--wait takes no value"),
        (["put", "a", "--count", "1", "--count", "2"], "--count is given twice"),
        (["group", "all", "x"], "--to X is required"),
    ])
    func `wrong usage says what is wrong`(words: [String], message: String) {
        do throws(CommandFailure) {
            _ = try CommandParser.parse(words, root: Self.root)
            Issue.record("\(words) was taken")
        } catch {
            #expect(error.exitStatus == 2)
            #expect(error.message.hasPrefix(message), "\(error.message)")
            #expect(error.message.contains("usage: tool"))
        }
    }

    @Test func `a command without a cluster has no common options`() {
        #expect(failure("group", "all", "x", "--to", "y") == nil)
        #expect(failure("group", "all", "x", "--to", "y", "--server", "z")?.exitStatus == 2)
    }
}
