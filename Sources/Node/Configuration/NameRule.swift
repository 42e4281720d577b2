/// What names may look like.
enum NameRule {
    static let maxIDBytes = 63

    /// Clusters, nodes and workers: their names become directories, labels and parts of host names.
    static let id =
        "letters a-z, digits and '-', a letter or digit first, at most \(maxIDBytes) bytes"

    static func isID(_ text: String) -> Bool {
        guard (1...maxIDBytes).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "-")
        else { return false }
        return text.utf8.allSatisfy { byte in
            isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
    }

    /// Handlers: their names stand in paths.
    static let name = "letters A-Z and a-z, digits, '.', '_', '-' and ':', a letter or digit first"

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isDigit(first) || isLetter(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ":")
        }
    }

    /// Queues, schedules and templates: their names stand in paths, behind that of a namespace and a colon in the state,
    /// and an occurrence's id is `name@time`.
    static let ownName = "letters A-Z and a-z, digits, '.', '_' and '-', a letter or digit first"

    static func isOwnName(_ text: String) -> Bool {
        isName(text) && !text.utf8.contains(UInt8(ascii: ":"))
    }

    /// Tags, keys and labels: any text without control characters.
    static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
