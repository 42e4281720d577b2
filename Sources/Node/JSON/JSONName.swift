/// The name of a member that is written. One that stands in the code needs no escapes, and is not looked through for them: an
/// answer has dozens.
struct JSONName: ExpressibleByStringLiteral, Sendable {
    enum Form: Sendable {
        case literal(StaticString)
        case text(String)
    }

    let form: Form

    init(stringLiteral name: StaticString) {
        form = .literal(name)
    }

    /// Any text.
    init(_ text: String) {
        form = .text(text)
    }
}
