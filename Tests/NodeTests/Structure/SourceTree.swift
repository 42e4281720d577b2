import Foundation

/// The Swift files below `Sources` or `Tests`, as text.
struct SourceTree {
    struct File {
        /// Below the folder, such as `Node/Loop/Loop.swift`.
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

        /// Where functions with a body of several lines begin, and how many lines they have. Files are
        /// formatted, so a function ends with the first brace that stands as far in as its first line.
        var functions: [(number: Int, lines: Int)] {
            lines.indices.compactMap { first -> (number: Int, lines: Int)? in
                guard lines[first].beginsFunction else { return nil }
                let depth = lines[first].indentation
                let end = lines[(first + 1)...].first { line in
                    guard !line.isBlank else { return false }
                    return line.indentation < depth
                        || (line.indentation == depth && line.code.dropFirst(depth).hasPrefix("}"))
                }
                guard let end, end.indentation == depth else { return nil }
                return (lines[first].number, end.number - lines[first].number + 1)
            }
        }
    }

    struct Line {
        let number: Int
        let text: Substring
        /// Without a comment that takes the whole line or its end.
        let code: Substring

        var indentation: Int { text.prefix { $0 == " " }.count }
        var isBlank: Bool { text.allSatisfy { $0 == " " } }

        fileprivate var beginsFunction: Bool {
            guard !code.hasSuffix("}") else { return false }
            let words = code.split(separator: " ")
            let modifiers = words.prefix { word in
                word.hasPrefix("@") || SourceTree.modifiers.contains(word)
            }
            guard words.count > modifiers.count else { return false }
            let word = words[modifiers.count]
            return ["func", "deinit"].contains(word)
                || ["init(", "init?(", "init<", "subscript("].contains { word.hasPrefix($0) }
        }
    }

    private static let modifiers: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private", "static", "final", "override",
        "required", "convenience", "mutating", "consuming", "borrowing", "nonisolated",
    ]

    let files: [File]

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init(folder: String = "Sources") throws {
        let sources = Self.root.appendingPathComponent(folder)
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
