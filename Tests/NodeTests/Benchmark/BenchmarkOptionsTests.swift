import Testing

@testable import Node

struct BenchmarkOptionsTests {
    private func options(_ words: String...) throws -> BenchmarkOptions {
        let parsed = BenchmarkOptions.parse(words)
        guard case .run(let options) = parsed else {
            Issue.record("\(words) came to \(parsed)")
            throw Unexpected()
        }
        return options
    }

    private struct Unexpected: Error {}

    @Test func `without a word everything is measured`() throws {
        let options = try options()
        #expect(options.measuresCommands && options.measuresHolds)
        #expect(options.parts == Part.allCases)
        #expect(options.tasks == 1_000_000 && options.schedules == 100_000 && options.rounds == 5)
    }

    @Test func `a word takes the rest away`() throws {
        let commands = try options("commands")
        #expect(commands.measuresCommands && !commands.measuresHolds && commands.parts.isEmpty)
        let holds = try options("--tasks", "7", "holds", "--rounds", "3")
        #expect(!holds.measuresCommands && holds.measuresHolds && holds.parts.isEmpty)
        #expect(holds.tasks == 7 && holds.rounds == 3)
        let parts = try options("parts")
        #expect(!parts.measuresCommands && !parts.measuresHolds)
        #expect(parts.parts == Part.allCases)
    }

    @Test func `parts are measured in the order they are named in, each once`() throws {
        let options = try options("parts", "json", "--rounds", "1", "crc", "json")
        #expect(options.parts == [.json, .crc] && options.rounds == 1)
    }

    @Test(arguments: [
        (["parts", "crv"], "no part is called \"crv\": there are http, json, "),
        (["crc"], "unknown argument \"crc\": did you mean parts crc?"),
        (["commands", "crc"], "unknown argument \"crc\": did you mean parts crc?"),
        (["comands"], "unknown argument \"comands\""),
        (["commands", "holds"], "one of commands, holds and parts"),
        (["parts", "--round", "3"], "unknown option \"--round\""),
        (["--rounds"], "--rounds takes a number from 1 to 5000000"),
        (["--rounds", "0"], "--rounds takes a number from 1 to 5000000"),
        (["--tasks", "many"], "--tasks takes a number from 1 to 5000000"),
    ])
    func `what makes no sense is refused with the reason`(words: [String], reason: String) {
        let parsed = BenchmarkOptions.parse(words)
        guard case .wrong(let text) = parsed else {
            Issue.record("\(words) came to \(parsed)")
            return
        }
        #expect(text.hasPrefix(reason))
    }

    @Test func `help names every part`() {
        #expect(BenchmarkOptions.parse(["parts", "-h"]) == .help)
        for part in Part.allCases {
            #expect(BenchmarkOptions.help.contains("  \(part.rawValue) "))
        }
    }
}
