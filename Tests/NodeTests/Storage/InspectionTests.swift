import Foundation
import Raft
import Testing

@testable import Node

struct InspectionTests {
    private static let initial = Configuration(voters: ["n1", "n2", "n3"])
    private static let mark = SnapshotMark(index: 2, term: 1, configuration: initial)

    private func open(_ scratch: ScratchFolder) throws(StorageError) -> NodeStorage {
        var settings = SegmentedLog.Settings()
        settings.segmentBytes = 32 << 10
        return try NodeStorage.open(
            root: scratch.path, cluster: "demo", node: "n1", initial: Self.initial,
            settings: settings, onLog: { _ in }, onSnapshot: { _ in }
        ).storage
    }

    /// A stopped node with a snapshot, entries 3 to 5, and a vote.
    private func stoppedNode() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        let storage = try open(scratch)
        storage.snapshots.submit(
            .write(Self.mark) { put throws(StorageError) in try put([1, 2, 3]) })
        storage.snapshots.stop()
        storage.log.submit(
            Batch(
                ticket: 1, hardState: HardState(term: 1, vote: "n2"),
                entries: (1...4).map {
                    Entry(
                        index: $0, term: 1,
                        payload: .command([UInt8](repeating: 60 + UInt8($0), count: 50)))
                }))
        storage.log.submit(Batch(ticket: 2, snapshot: Self.mark))
        storage.log.submit(
            Batch(ticket: 3, entries: [Entry(index: 5, term: 1, payload: .noop)]))
        storage.stop()
        return scratch
    }

    /// Every file of a directory with its bytes.
    private func contents(of scratch: ScratchFolder) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: scratch.path) {
            contents[name] = FileManager.default.contents(atPath: scratch.path + "/" + name)
        }
        return contents
    }

    private func run(_ words: [String], asTerminal: Bool = true) -> (status: Int32, text: String) {
        let console = Console(capturingAsTerminal: asTerminal, columns: 300)
        let status = CommandLineTool.run(["log", "inspect"] + words, console: console)
        return (status, console.output + console.errors)
    }

    private func damage(_ scratch: ScratchFolder, _ name: String, byte: [UInt8]) throws {
        var bytes = try scratch.bytes(of: name)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: byte) })
        bytes[place] ^= 1
        try scratch.write(bytes, to: name)
    }

    private func segment(of scratch: ScratchFolder) throws -> String {
        let names = try StorageFolder(path: scratch.path + "/n1/log").names()
        return "n1/log/" + (try #require(names.first(where: SegmentName.isSegment)))
    }

    @Test func aSoundDirectoryIsShown() throws {
        let scratch = try stoppedNode()
        let before = try contents(of: scratch)
        let shown = run([scratch.path + "/n1", "--entries"])
        #expect(shown.status == 0, "\(shown.text)")
        for part in [
            "n1 of cluster demo", "term 1, vote n2", "index 2, term 1", "3 (term 1) to 5 (term 1)",
            "snapshot-2-1", "the log starts from it", "hardState", "termStart", "noop", "sound",
        ] {
            #expect(shown.text.contains(part), "\(part) in \(shown.text)")
        }
        let json = run([scratch.path + "/n1", "-o", "json"])
        #expect(json.status == 0)
        #expect(json.text.contains(#""sound":true"#))
        #expect(json.text.contains(#""lastIndex":5"#))
        #expect(try contents(of: scratch) == before)
    }

    @Test func lostEntriesAndALostSnapshotAreShown() throws {
        let scratch = try stoppedNode()
        let name = try segment(of: scratch)
        try damage(scratch, name, byte: [UInt8](repeating: 64, count: 50))
        try damage(scratch, "n1/snapshots/snapshot-2-1", byte: [1, 2, 3])
        let before = try contents(of: scratch)
        let shown = run([scratch.path + "/n1", "--entries"])
        #expect(shown.status == 1)
        for part in [
            "entries 4 of term 1 are lost; the node fetches them", name,
            "asks its leader for a snapshot", "damaged",
        ] {
            #expect(shown.text.contains(part), "\(part) in \(shown.text)")
        }
        let json = run([scratch.path + "/n1", "-o", "json"], asTerminal: false)
        #expect(json.status == 1)
        #expect(json.text.contains(#""lost":[{"index":4,"term":1}]"#), "\(json.text)")
        #expect(try contents(of: scratch) == before)
    }

    @Test func aLogThatIsRefusedIsShownAsFarAsItGoes() throws {
        let scratch = try stoppedNode()
        let name = try segment(of: scratch)
        var bytes = try scratch.bytes(of: name)
        bytes.replaceSubrange(8_400..<20_000, with: repeatElement(0x33, count: 11_600))
        try scratch.write(bytes, to: name)
        let before = try contents(of: scratch)
        let shown = run([scratch.path + "/n1"])
        #expect(shown.status == 1)
        #expect(shown.text.contains("refused"))
        #expect(shown.text.contains("remove this node from the cluster"), "\(shown.text)")
        #expect(try contents(of: scratch) == before)
    }

    @Test(arguments: ["n1/log", "segment"])
    func aLogThatIsGoneIsNotSound(what: String) throws {
        let scratch = try stoppedNode()
        let gone = what == "segment" ? try segment(of: scratch) : what
        try FileManager.default.removeItem(atPath: scratch.path + "/" + gone)
        let shown = run([scratch.path + "/n1"])
        #expect(shown.status == 1)
        #expect(shown.text.contains("the log is gone"), "\(shown.text)")
    }

    @Test func aRunningNodeIsLeftAlone() throws {
        let scratch = try stoppedNode()
        let storage = try open(scratch)
        let shown = run([scratch.path + "/n1"])
        #expect(shown.status == 1)
        #expect(shown.text.contains("in use by process"))
        storage.stop()
    }

    @Test func anotherDirectoryIsRefused() throws {
        let scratch = try ScratchFolder()
        let shown = run([scratch.path])
        #expect(shown.status == 1)
        #expect(shown.text.contains("not the data directory of a node"))
    }
}
