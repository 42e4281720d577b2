import Raft
import Testing

@testable import Node

/// `carillon restore`, with its refusals.
struct RestoreCommandTests {
    private let scratch: ScratchFolder
    private let name: String

    init() throws {
        scratch = try ScratchFolder()
        name = try BackupSample.write(to: scratch.folder)
        let nodes = ["n2", "n1"].enumerated().map { number, id in
            #"{"id": "\#(id)", "peer": "127.0.0.1:\#(7101 + number)", "api": "127.0.0.1:\#(7201 + number)"}"#
        }
        try scratch.write(
            Array(#"{"cluster": "demo", "nodes": [\#(nodes.joined(separator: ","))]}"#.utf8),
            to: "cluster.json")
    }

    private func run(
        _ words: String..., asTerminal isTerminal: Bool = false
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: isTerminal)
        let status = CommandLineTool.run(
            ["restore", scratch.path + "/" + name] + words, console: console)
        return (status, console.output, console.errors)
    }

    private func restore(_ id: String) -> (status: Int32, output: String, errors: String) {
        run(
            "--config", scratch.path + "/cluster.json", "--id", id, "--data",
            scratch.path + "/data")
    }

    private func flip(_ place: Int) throws {
        var bytes = try scratch.bytes(of: name)
        bytes[place] ^= 1
        try scratch.write(bytes, to: name)
    }

    @Test func `a check says what a backup holds`() throws {
        let result = run("--check", asTerminal: true)
        #expect(result.status == 0)
        #expect(result.output.contains("sound"))
        #expect(result.output.contains("up to entry 3 of term 6"))
        #expect(result.output.contains("1 tasks (1 ready)"))
        let json = try JSONDocument(Array(run("--check", "-o", "json").output.utf8)).root
        #expect(json["tasksByState"]?["ready"]?.integer == 1)
        #expect(json["rememberedKeys"]?.integer == 1)
        let names = try scratch.folder.names()
        #expect(!names.contains("data"))
    }

    @Test func `the founder is restored, once`() throws {
        let result = restore("n1")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("Start n1, and with empty data directories n2."))
        let again = restore("n1")
        #expect(again.status == 1)
        #expect(
            again.errors.contains("data/n1 is not empty: it holds identity, lock, log, snapshots"))
    }

    @Test func `another node than the founder is refused with the reason`() throws {
        let result = restore("n2")
        #expect(result.status == 1)
        #expect(result.errors.contains("n1 founds the cluster of this configuration"))
        let unknown = restore("n7")
        #expect(unknown.status == 1 && unknown.errors.contains("only n2, n1"))
        let names = try scratch.folder.names()
        #expect(!names.contains("data"))
    }

    @Test func `a damaged or cut file is refused with the byte, and nothing is made`() throws {
        let count = try scratch.bytes(of: name).count
        try flip(count / 2)
        let flipped = restore("n1")
        #expect(flipped.status == 1)
        #expect(flipped.errors.contains("not a sound backup"))
        #expect(flipped.errors.contains("at byte "))
        let checked = run("--check")
        #expect(checked.status == 1 && checked.output.isEmpty)
        try flip(count / 2)
        try scratch.write(Array(try scratch.bytes(of: name).dropLast(3)), to: name)
        let cut = restore("n1")
        #expect(cut.status == 1 && cut.errors.contains("not a sound backup"))
        let names = try scratch.folder.names()
        #expect(!names.contains("data"))
    }

    @Test func `what is not said is asked for, and what means nothing refused`() {
        #expect(run().status == 2)
        #expect(run("--config", "x").status == 2)
        #expect(run("--check", "--id", "n1").status == 2)
        #expect(CommandLineTool.run(["restore"], console: Console(capturingAsTerminal: false)) == 2)
    }

    @Test func `a file that is not there is said`() {
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            ["restore", "--check", scratch.path + "/none"], console: console)
        #expect(status == 1 && console.errors.contains("No such file"))
    }
}
