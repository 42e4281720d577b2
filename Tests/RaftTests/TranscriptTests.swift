import Foundation
import Testing

/// Scenes between nodes, written down. A headline, `# `, begins a scene with an empty stage; a line beginning with
/// `> ` is a command (`Script`), the lines below it that stand four spaces in are what the nodes did. Everything
/// else is prose.
///
/// `REWRITE_TRANSCRIPTS=1 swift test --filter Transcript` writes down what they do now; read the difference
/// before you keep it.
@Suite struct TranscriptTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Transcripts")
    private static let isRewriting =
        ProcessInfo.processInfo.environment["REWRITE_TRANSCRIPTS"] != nil

    static func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test(arguments: try files())
    func nodesDoWhatIsWritten(file: String) throws {
        let url = Self.folder.appendingPathComponent(file)
        let written = try String(contentsOf: url, encoding: .utf8)
        let done = try perform(written, file: file)
        if Self.isRewriting {
            try done.write(to: url, atomically: true, encoding: .utf8)
            return
        }
        let expected = written.split(separator: "\n", omittingEmptySubsequences: false)
        let actual = done.split(separator: "\n", omittingEmptySubsequences: false)
        let first = zip(expected, actual).enumerated().first { $0.element.0 != $0.element.1 }
        if let first {
            let around = actual[first.offset...].prefix(8).joined(separator: "\n")
            Issue.record(
                "\(file):\(first.offset + 1) says \"\(first.element.0)\", but now it is:\n\(around)"
            )
        } else {
            #expect(expected.count == actual.count, "\(file) ends differently")
        }
    }

    /// The text with the output of each command as it is now.
    private func perform(_ text: String, file: String) throws -> String {
        var script: Script?
        var lines: [String] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.hasPrefix("    ") { continue }
            lines.append(String(line))
            if line.hasPrefix("# ") {
                try checkPromises(of: script, at: "\(file):\(number + 1)")
                script = Script()
            }
            guard line.hasPrefix("> ") else { continue }
            let current = try #require(script, "\(file):\(number + 1) has no headline")
            do {
                lines += try current.run(String(line.dropFirst(2))).map { "    " + $0 }
            } catch let mistake as Script.Mistake {
                Issue.record("\(file):\(number + 1): \(mistake)")
            }
        }
        try checkPromises(of: script, at: file)
        return lines.joined(separator: "\n")
    }

    /// What no expected output may contain, whoever wrote it down.
    private func checkPromises(of script: Script?, at place: String) throws {
        guard let script else { return }
        #expect(script.stage.oracle.faults == [], "in the scene before \(place)")
    }

    @Test func thereAreTranscripts() throws {
        let files = try Self.files()
        #expect(!files.isEmpty)
    }
}
