import Foundation
import Raft
import Testing

@testable import Node

/// `carillon backup` against a scripted node.
struct BackupCommandTests {
    private let scratch: ScratchFolder
    private let source: ScratchFolder
    private let file: [UInt8]

    init() throws {
        scratch = try ScratchFolder()
        source = try ScratchFolder()
        file = try source.bytes(of: BackupSample.write(to: source.folder))
    }

    private func offer(checksum: String? = nil, index: Index = 3) throws -> ScriptedServer.Step {
        let contents = try BackupContents(
            SnapshotName(BackupSample.mark).text, in: source.folder)
        let text = checksum ?? ChecksumText.text(contents.checksum)
        return .reply(
            ScriptedServer.reply(
                200,
                #"{"cluster": "demo", "node": "n2", "index": \#(index), "term": 6, "#
                    + #""bytes": \#(file.count), "checksum": "\#(text)"}"#))
    }

    private static let done = ScriptedServer.Step.reply("HTTP/1.1 204 No Content\r\n\r\n")

    private func run(
        _ words: [String] = [], on servers: ScriptedServer...
    ) -> (status: Int32, output: String, errors: String) {
        let console = Console(capturingAsTerminal: false)
        let addresses = servers.map(\.endpoint.description).joined(separator: ",")
        let status = CommandLineTool.run(
            ["backup", scratch.path + "/state", "--server", addresses] + words, console: console)
        return (status, console.output, console.errors)
    }

    @Test func `what was fetched in pieces is verified, and gets its name`() throws {
        let server = try ScriptedServer(
            offer(), .body(Array(file[..<50])), .body(Array(file[50...])), Self.done)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 0, "\(result.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
        let names = try scratch.folder.names()
        #expect(names == ["state"])
        let mode = try FileManager.default.attributesOfItem(atPath: scratch.path + "/state")
        #expect(mode[.posixPermissions] as? Int == 0o600)
        let said = try JSONDocument(Array(result.output.utf8)).root
        #expect(said["index"]?.integer == 3 && said["tasks"]?.integer == 1)
        #expect(said["node"]?.string == "n2" && said["cluster"]?.string == "demo")
        #expect(
            server.requests.map(\.line) == [
                "POST /v1/cluster/backup?timeout=60000ms HTTP/1.1",
                "GET /v1/cluster/backup?index=3&term=6&offset=0 HTTP/1.1",
                "GET /v1/cluster/backup?index=3&term=6&offset=50 HTTP/1.1",
                "DELETE /v1/cluster/backup?index=3&term=6 HTTP/1.1",
            ])
    }

    @Test func `a lost connection is taken up where it broke`() throws {
        let server = try ScriptedServer(
            offer(), .body(Array(file[..<50])),
            .close("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1"),
            .body(Array(file[50...])), Self.done)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 0, "\(result.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
        let offsets = server.requests.filter { $0.line.hasPrefix("GET") }.map {
            $0.line.split(separator: " ")[1].split(separator: "=").last
        }
        #expect(offsets == ["0", "50", "50"])
    }

    @Test func `a part that was damaged on its way is asked for again`() throws {
        var bad = file
        bad[file.count - 60] ^= 16
        let headerBytes = SnapshotFormat.header(for: BackupSample.mark).count
        let server = try ScriptedServer(
            offer(), .body(bad), .body(Array(file[headerBytes...])), Self.done)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 0, "\(result.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
        #expect(server.requests[2].line.contains("offset=\(headerBytes) "))
    }

    @Test func `a node that sends damaged bytes again and again is left for the next one`() throws {
        var bad = file
        bad[file.count - 60] ^= 16
        let rest = Array(bad[SnapshotFormat.header(for: BackupSample.mark).count...])
        let first = try ScriptedServer(offer(), .body(bad), .body(rest), .body(rest), Self.done)
        defer { first.stop() }
        let second = try ScriptedServer(offer(), .body(file), Self.done)
        defer { second.stop() }
        let result = run(on: first, second)
        #expect(result.status == 0, "\(result.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
    }

    /// On three full disks it would take down one node after the other.
    @Test func `after a node that ends while it writes the snapshot no other is asked`() throws {
        let first = try ScriptedServer(.close(""))
        defer { first.stop() }
        let second = try ScriptedServer(offer(), .body(file), Self.done)
        defer { second.stop() }
        let result = run(on: first, second)
        #expect(result.status == 1)
        #expect(result.errors.contains("look at this one's log"), "\(result.errors)")
        #expect(second.requests.isEmpty)
        let names = try scratch.folder.names()
        #expect(names.isEmpty)
    }

    @Test func `a node that lost the snapshot is left for the next one`() throws {
        let gone = #"{"status": 410, "detail": "This node does not hold that snapshot any more."}"#
        let first = try ScriptedServer(
            offer(), .reply(ScriptedServer.reply(410, gone)), Self.done)
        defer { first.stop() }
        let second = try ScriptedServer(offer(), .body(file), Self.done)
        defer { second.stop() }
        let result = run(on: first, second)
        #expect(result.status == 0, "\(result.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
    }

    @Test func `a file that is there is kept, unless it may be replaced`() throws {
        try scratch.write([1], to: "state")
        let server = try ScriptedServer(offer(), .body(file), Self.done)
        defer { server.stop() }
        let refused = run(on: server)
        #expect(refused.status == 1 && refused.errors.contains("is there already"))
        #expect(server.requests.isEmpty)
        let kept = try scratch.bytes(of: "state")
        #expect(kept == [1])
        let replaced = run(["--force"], on: server)
        #expect(replaced.status == 0, "\(replaced.errors)")
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
    }

    @Test func `what is no ordinary file is never replaced`() throws {
        let server = try ScriptedServer(offer(), .body(file), Self.done)
        defer { server.stop() }
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/state", withDestinationPath: "/dev/null")
        let result = run(["--force"], on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("no ordinary file"), "\(result.errors)")
        #expect(server.requests.isEmpty)
        let target = try FileManager.default.destinationOfSymbolicLink(
            atPath: scratch.path + "/state")
        #expect(target == "/dev/null")
    }

    /// A nightly backup that has not ended when the next one begins.
    @Test func `two backups to one file do not get into each other's way`() throws {
        let snapshot = SnapshotName(BackupSample.mark)
        var first = try BackupFile(
            "state", in: scratch.folder, snapshot: snapshot, totalBytes: file.count)
        let server = try ScriptedServer(offer(), Self.done)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 1)
        #expect(result.errors.contains("another backup is being written"), "\(result.errors)")
        let problem = try first.take(file)
        #expect(problem == nil && first.isComplete)
        let checksum = try BackupContents(snapshot.text, in: source.folder).checksum
        _ = try first.finish(checksum: ChecksumText.text(checksum))
        let saved = try scratch.bytes(of: "state")
        #expect(saved == file)
    }

    @Test func `another file than the announced one is not kept`() throws {
        let server = try ScriptedServer(offer(checksum: "00000000"), .body(file), Self.done)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 1 && result.errors.contains("announced 00000000"))
        let names = try scratch.folder.names()
        #expect(names.isEmpty)
    }

    @Test func `a refusal of every node is passed on`() throws {
        let busy = ScriptedServer.Step.reply(
            ScriptedServer.reply(429, #"{"status": 429, "detail": "Too many backups"}"#))
        let server = try ScriptedServer(busy, busy, busy)
        defer { server.stop() }
        let result = run(on: server)
        #expect(result.status == 1 && result.errors.contains("Too many backups (429)"))
        let names = try scratch.folder.names()
        #expect(names.isEmpty)
    }

    @Test func `a directory that is not there is said`() throws {
        let server = try ScriptedServer(offer(), Self.done)
        defer { server.stop() }
        let console = Console(capturingAsTerminal: false)
        let status = CommandLineTool.run(
            [
                "backup", scratch.path + "/none/state", "--server", server.endpoint.description,
            ], console: console)
        #expect(status == 1 && console.errors.contains("none/state.partial"))
    }
}
