import Foundation

/// The Swift files below `Sources`, as text.
struct SourceTree {
    struct File {
        /// Such as `Node/Loop/Loop.swift`.
        let path: String
        let lines: [Line]

        /// Text of modules that a line `import` names.
        var imports: [(number: Int, module: String)] {
            lines.compactMap { line -> (number: Int, module: String)? in
                let words = line.code.split(separator: " ")
                guard let position = words.firstIndex(of: "import") else { return nil }
                // Attributes and access levels may stand before it: `@testable import`, `public import`.
                let isImport = words[..<position].allSatisfy {
                    $0.hasPrefix("@") || ["public", "internal", "package", "private"].contains($0)
                }
                guard isImport, position + 1 < words.count else { return nil }
                let kinds = [
                    "struct", "class", "enum", "func", "var", "let", "typealias", "protocol",
                ]
                let name: Substring =
                    words.dropFirst(position + 1).first { !kinds.contains(String($0)) } ?? ""
                return (line.number, name.split(separator: ".").first.map(String.init) ?? "")
            }
        }
    }

    struct Line {
        let number: Int
        let text: Substring
        /// Without a comment that takes the whole line or its end.
        let code: Substring
    }

    let files: [File]

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init() throws {
        let sources = Self.root.appendingPathComponent("Sources")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
        files = try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOf: sources.appendingPathComponent(path), encoding: .utf8)
            return File(path: path, lines: Self.lines(of: text))
        }
    }

    static func lines(of text: String) -> [Line] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
            Line(number: $0 + 1, text: $1, code: code(of: $1))
        }
    }

    /// A `//` in a string such as a URL has a colon before it.
    private static func code(of line: Substring) -> Substring {
        var start = line.startIndex
        while let comment = line[start...].firstRange(of: "//") {
            let isURL =
                comment.lowerBound > line.startIndex
                && line[line.index(before: comment.lowerBound)] == ":"
            if !isURL { return line[..<comment.lowerBound] }
            start = comment.upperBound
        }
        return line
    }
}
