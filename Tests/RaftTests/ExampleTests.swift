import Foundation
import Testing

/// The example of docs/RAFT.md works, and is what stands there.
@Suite struct ExampleTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    @Test func itDoesWhatItSays() {
        #expect(
            keyValueExample() == [
                "three nodes have a leader",
                "a value is written",
                "and read on each of them",
                "the leader is lost, the others go on",
                "it comes back",
                "a fourth has joined",
                "a value is written again",
                "all have the same map",
            ])
    }

    @Test func theDocumentHoldsTheProgram() throws {
        let program = try String(
            contentsOf: Self.folder.appendingPathComponent("Example/KeyValueExample.swift"),
            encoding: .utf8)
        let document = try String(
            contentsOf: Self.folder.appendingPathComponent("../../docs/RAFT.md").standardized,
            encoding: .utf8)
        #expect(
            document.contains("```swift\n" + program + "```\n"),
            "copy Tests/RaftTests/Example/KeyValueExample.swift into docs/RAFT.md")
    }
}
