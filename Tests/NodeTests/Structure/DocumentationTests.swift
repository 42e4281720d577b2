import Testing

/// The Raft library is for others to use: whatever it makes public says what it is for, what it asks of the caller
/// and, where there is one, in which section of the paper it stands.
struct DocumentationTests {
    @Test func `everything public in Raft is documented`() throws {
        let files = try SourceTree().files.filter { $0.path.hasPrefix("Raft/") }
        try #require(!files.isEmpty, "the sources were not found")
        for file in files {
            for line in Self.undocumented(in: file.lines) {
                Issue.record("Sources/\(file.path):\(line.number) says nothing about itself")
            }
        }
    }

    /// Public declarations, and the cases of public enums, without a `///` right above. An initializer that only
    /// takes the fields of its type needs none.
    private static func undocumented(in lines: [SourceTree.Line]) -> [SourceTree.Line] {
        var enums: [Int] = []
        return lines.indices.compactMap { position -> SourceTree.Line? in
            let line = lines[position]
            guard !line.isBlank else { return nil }
            let code = line.code.drop { $0 == " " }
            enums.removeAll { $0 >= line.indentation }
            let isCase = code.hasPrefix("case ") && enums.last == line.indentation - 4
            if code.hasPrefix("public "), code.contains("enum "), !code.hasSuffix("}") {
                enums.append(line.indentation)
            }
            let isInitializer = code.hasPrefix("public init(")
            guard isCase || code.hasPrefix("public ") && !isInitializer else { return nil }
            let above = position > 0 ? lines[position - 1].text.drop { $0 == " " } : ""
            return above.hasPrefix("///") ? nil : line
        }
    }

    @Test func `what is not documented is found`() {
        let text = """
            public struct Bare {
                /// Says something.
                public var said: Int
                public var unsaid: Int
                var own: Int
                public init(said: Int) {}
                public func act() {
                    switch said {
                    case 0: break
                    }
                }
            }
            /// Says something.
            public enum Kind {
                /// Says something.
                case first
                case second(
                    Int)

                var text: String {
                    switch self {
                    case .first: ""
                    }
                }
            }
            enum Own {
                case first
            }
            """
        let found = Self.undocumented(in: SourceTree.lines(of: text))
        #expect(found.map(\.number) == [1, 4, 7, 17])
    }
}
