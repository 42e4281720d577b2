import Raft
import Testing

@testable import Node

/// `/v1/cluster/backup`, with a snapshot thread that is played by the test.
@Suite struct BackupAPITests {
    private static let path = "/v1/cluster/backup"

    /// The snapshot that was asked for is written.
    private func write(_ fixture: APIFixture) throws -> SnapshotName {
        let count = fixture.snapshots.count
        fixture.http.turn { fixture.snapshots.count > count }
        let mark = try #require(fixture.snapshots.last)
        fixture.gateway.step(.snapshotWritten(mark, bytes: 0))
        fixture.api.snapshotChanged()
        return SnapshotName(mark)
    }

    /// As far as a snapshot that is open.
    private func open(_ fixture: APIFixture, bytes: UInt64 = 1_000) throws -> SnapshotName {
        let client = try fixture.begin("POST", Self.path)
        let name = try write(fixture)
        fixture.http.turn { fixture.exports.items.last == .open(name) }
        fixture.api.exported(.opened(name, totalBytes: bytes, checksum: 0xab))
        let reply = try fixture.reply(to: client)
        #expect(reply.status == 200)
        return name
    }

    private func submit(_ fixture: APIFixture) throws {
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#)
    }

    private func query(_ name: SnapshotName) -> String {
        "\(Self.path)?index=\(name.index)&term=\(name.term)"
    }

    @Test func `a backup holds what was acknowledged before it was asked for`() throws {
        let fixture = try APIFixture()
        try submit(fixture)
        let applied = fixture.gateway.replica.applied
        let client = try fixture.begin("POST", Self.path)
        let name = try write(fixture)
        #expect(name.index >= applied)
        fixture.http.turn { !fixture.exports.items.isEmpty }
        #expect(fixture.exports.items == [.open(name)])
        fixture.api.exported(.opened(name, totalBytes: 1_000, checksum: 0xab))
        let reply = try fixture.reply(to: client)
        #expect(
            reply.text
                == #"{"cluster":"test","node":"n1","index":\#(name.index),"term":\#(name.term),"#
                + #""bytes":1000,"checksum":"000000ab"}"#)
        // Nothing has happened since: the same file serves, and is open already.
        let again = try fixture.call("POST", Self.path)
        #expect(again.text == reply.text)
        #expect(fixture.exports.items.count == 1)
    }

    @Test func `pieces are read by the thread, and let go when every client is done`() throws {
        let fixture = try APIFixture()
        let name = try open(fixture)
        let second = try fixture.call("POST", Self.path)
        #expect(second.status == 200)
        let client = try fixture.begin("GET", query(name) + "&offset=7&limit=20")
        fixture.http.turn { fixture.exports.items.count == 2 }
        guard case .read(name, offset: 7, maxBytes: 20, let token) = fixture.exports.items[1] else {
            Issue.record("\(fixture.exports.items)")
            return
        }
        fixture.api.exported(.read(token: token, bytes: [1, 2, 255]))
        let piece = try fixture.reply(to: client)
        #expect(piece.body == [1, 2, 255])
        #expect(piece.header("content-type") == "application/octet-stream")
        let firstEnd = try fixture.call("DELETE", query(name))
        #expect(firstEnd.status == 204 && fixture.exports.items.count == 2)
        let secondEnd = try fixture.call("DELETE", query(name))
        #expect(secondEnd.status == 204 && fixture.exports.items.last == .close(name))
        let late = try fixture.call("GET", query(name) + "&offset=0")
        #expect(late.status == 410)
        #expect(try late.json()["type"]?.string == "urn:carillon:problem:gone")
    }

    @Test func `what nobody reads from is let go`() throws {
        let fixture = try APIFixture()
        let backup = BackupAPI(fixture.context, idleNanoseconds: 20_000_000)
        fixture.http.answer = { request, responder in
            backup.handle(Call(context: fixture.context, request: request, responder: responder))
        }
        let client = try fixture.begin("POST", Self.path)
        fixture.http.turn { !fixture.snapshots.isEmpty }
        let mark = try #require(fixture.snapshots.last)
        fixture.gateway.step(.snapshotWritten(mark, bytes: 0))
        backup.snapshotChanged()
        fixture.http.turn { !fixture.exports.items.isEmpty }
        backup.take(.opened(SnapshotName(mark), totalBytes: 9, checksum: 1))
        let reply = try fixture.reply(to: client)
        #expect(reply.status == 200)
        fixture.http.turn { fixture.exports.items.last == .close(SnapshotName(mark)) }
    }

    @Test func `no more than two are held`() throws {
        let fixture = try APIFixture()
        for _ in 0..<APILimits.maxBackups {
            try submit(fixture)
            _ = try open(fixture)
        }
        try submit(fixture)
        let client = try fixture.begin("POST", Self.path)
        _ = try write(fixture)
        let reply = try fixture.reply(to: client)
        #expect(reply.status == 429)
        #expect(reply.header("retry-after") == "10")
    }

    /// Nothing was written since, and nothing may be for a long time: what is in memory is all there is.
    @Test func `a damaged file is refused, and written anew`() throws {
        let fixture = try APIFixture()
        let client = try fixture.begin("POST", Self.path)
        let name = try write(fixture)
        fixture.http.turn { !fixture.exports.items.isEmpty }
        let error = StorageError.corrupt(path: "snapshot", offset: 9, problem: "bad")
        fixture.api.exported(.damaged(name, token: nil, error))
        let reply = try fixture.reply(to: client)
        #expect(reply.status == 503)
        #expect(reply.text.contains("snapshot at byte 9: bad"))
        fixture.http.turn { fixture.snapshots.count == 2 }
        let mark = try #require(fixture.snapshots.last)
        #expect(SnapshotName(mark) == name)
        let jobs = fixture.exports.items.count
        _ = try fixture.begin("POST", Self.path)
        let early = try fixture.call("GET", "/v1/cluster?stale=true")
        #expect(early.status == 200 && fixture.exports.items.count == jobs, "it waits for the file")
        fixture.gateway.step(.snapshotWritten(mark, bytes: 0))
        fixture.api.snapshotChanged()
        fixture.http.turn { fixture.exports.items.count > jobs }
        #expect(fixture.exports.items.last == .open(name))
        #expect(fixture.snapshots.count == 2, "once is enough")
    }

    @Test func `without a leader there is no backup`() throws {
        let fixture = try APIFixture(nodes: ["n1", "n2"])
        let reply = try fixture.call("POST", Self.path + "?timeout=50ms")
        #expect(reply.status == 503)
        #expect(try reply.json()["type"]?.string == "urn:carillon:problem:no-leader")
    }

    @Test func `a snapshot that is not written in time is said`() throws {
        let fixture = try APIFixture()
        // Long enough for the read before it, on any machine.
        let reply = try fixture.call("POST", Self.path + "?timeout=1s")
        #expect(reply.status == 503)
        #expect(try reply.json()["type"]?.string == "urn:carillon:problem:not-ready")
    }

    @Test(arguments: [
        ("", "?index"), ("?index=1", "?term"), ("?index=x&term=1", "?index"),
        ("?index=1&term=1&offset=-1", "?offset"), ("?index=1&term=1&limit=0", "?limit"),
        ("?index=1&term=1&limit=4194305", "?limit"), ("?index=1&term=1&more=1", "?more"),
    ])
    func `a query that does not say which piece is refused`(query: String, pointer: String) throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("GET", Self.path + query)
        #expect(reply.status == 422)
        #expect(try reply.json()["errors"]?.elements.first?["pointer"]?.string == pointer)
    }
}
