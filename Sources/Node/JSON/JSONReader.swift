/// One thing wrong with a document: where (RFC 6901) and what, for the `errors` of a 422 reply and for
/// messages about the configuration.
struct JSONProblem: Error, Equatable, CustomStringConvertible, Sendable {
    let pointer: String
    let detail: String

    var description: String { pointer.isEmpty ? detail : "\(pointer): \(detail)" }
}

/// Reads the members of an object by name and type and gathers everything that is wrong with it, so that
/// a user corrects all mistakes at once. A wrong or missing member reads as nil; the caller looks at
/// `problems` when it has read all. `null` counts as "not given" for every type but `raw` and `value`.
/// After the last member the caller calls `finish`, which reports members that nobody asked for.
struct JSONReader {
    let value: JSONValue
    let pointer: String
    private(set) var problems: [JSONProblem] = []
    /// The members asked for, whether they are there or not.
    private(set) var known: [String] = []
    /// Ordinals of the members asked for; those beyond 64 are looked up by name in `finish`.
    private var taken: UInt64 = 0
    private let nameLengths: UInt64

    /// Further problems are not gathered: the reply must stay small whatever the document.
    static let maxProblems = 100

    init(_ value: JSONValue, pointer: String = "") {
        self.init(value, pointer: pointer, problems: [])
    }

    private init(_ value: JSONValue, pointer: String, problems: [JSONProblem]) {
        self.value = value
        self.pointer = pointer
        self.problems = problems
        nameLengths = value.nameLengths
        known.reserveCapacity(24)
        if value.kind != .object {
            append(pointer, "expected an object, found \(value.kind.description)")
        }
    }

    // MARK: Any value

    /// Whether the member is there and not null.
    func has(_ name: String) -> Bool {
        guard mayHave(name), let member = value[name] else { return false }
        return !member.isNull
    }

    /// The member as it stands, for types of the caller's own; null is a value here.
    mutating func value(_ name: String, required: Bool = false) -> JSONValue? {
        let found = take(name)
        if found == nil, required { missing(name) }
        return found
    }

    /// The bytes of the member exactly as written, null included.
    mutating func raw(
        _ name: String, maxBytes: Int = .max, required: Bool = false
    ) -> [UInt8]? {
        guard let member = value(name, required: required) else { return nil }
        guard member.range.count <= maxBytes else {
            problem(name, "is \(member.range.count) bytes long, at most \(maxBytes) are allowed")
            return nil
        }
        return member.raw
    }

    // MARK: Scalars

    mutating func bool(_ name: String, required: Bool = false) -> Bool? {
        present(name, .bool, required)?.bool
    }

    /// A text of at most `maxBytes` of UTF-8.
    mutating func string(
        _ name: String, maxBytes: Int = .max, allowEmpty: Bool = true, required: Bool = false
    ) -> String? {
        guard let member = present(name, .string, required) else { return nil }
        let (text, wrong) = Self.text(member, maxBytes: maxBytes, allowEmpty: allowEmpty)
        if text == nil { problem(name, wrong) }
        return text
    }

    /// One of the given words.
    mutating func choice(
        _ name: String, of words: [String], required: Bool = false
    ) -> String? {
        guard let word = string(name, required: required) else { return nil }
        guard words.contains(word) else {
            problem(name, Self.notAmong(word, words))
            return nil
        }
        return word
    }

    /// A whole number within the range, written without fraction and exponent.
    mutating func integer(
        _ name: String, in range: ClosedRange<Int64> = Int64.min...Int64.max, required: Bool = false
    ) -> Int64? {
        guard let member = present(name, .number, required) else { return nil }
        guard let number = member.integer else {
            problem(name, "expected a whole number, found \(member.source.prefix(40))")
            return nil
        }
        guard range.contains(number) else {
            problem(
                name, "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A duration such as "1h30m", in milliseconds.
    mutating func durationMilliseconds(
        _ name: String, in range: ClosedRange<Int64> = 0...DurationText.maxMilliseconds,
        required: Bool = false
    ) -> Int64? {
        guard let text = string(name, required: required) else { return nil }
        do {
            let milliseconds = try DurationText.parse(text)
            guard range.contains(milliseconds) else {
                let least = DurationText.format(range.lowerBound)
                let most = DurationText.format(range.upperBound)
                problem(name, "\"\(text)\" is not between \(least) and \(most)")
                return nil
            }
            return milliseconds
        } catch {
            problem(name, error.description)
            return nil
        }
    }

    /// An instant in RFC 3339, in milliseconds since the epoch.
    mutating func timestampMilliseconds(_ name: String, required: Bool = false) -> Int64? {
        guard let text = string(name, required: required) else { return nil }
        do {
            return try Timestamp.parse(text)
        } catch {
            problem(name, error.description)
            return nil
        }
    }

    // MARK: Containers

    /// An array of texts.
    mutating func strings(
        _ name: String, maxCount: Int = .max, maxBytes: Int = .max, allowEmpty: Bool = true,
        required: Bool = false
    ) -> [String]? {
        guard let member = present(name, .array, required) else { return nil }
        let elements = member.elements
        guard withinLimit(name, elements.count, maxCount, "elements") else { return nil }
        var result: [String] = []
        result.reserveCapacity(elements.count)
        for (ordinal, element) in elements.enumerated() {
            let (text, wrong) = Self.text(element, maxBytes: maxBytes, allowEmpty: allowEmpty)
            if let text {
                result.append(text)
            } else {
                append("\(place(name))/\(ordinal)", wrong)
            }
        }
        return result.count == elements.count ? result : nil
    }

    /// An object of texts, in the order of the document.
    mutating func stringMap(
        _ name: String, maxCount: Int = .max, maxBytes: Int = .max, required: Bool = false
    ) -> [(name: String, value: String)]? {
        guard let member = present(name, .object, required) else { return nil }
        let members = member.members
        guard withinLimit(name, members.count, maxCount, "members") else { return nil }
        var result: [(name: String, value: String)] = []
        for (key, element) in members {
            var (text, wrong) = Self.text(element, maxBytes: maxBytes)
            if key.utf8.count > maxBytes {
                (text, wrong) = (nil, "the name is longer than \(maxBytes) bytes")
            }
            if let text {
                result.append((key, text))
            } else {
                append(JSONPointer.appending(key, to: place(name)), wrong)
            }
        }
        return result.count == members.count ? result : nil
    }

    /// An object within this one; false if it isn't there. `finish` is called for it.
    @discardableResult
    mutating func object(
        _ name: String, required: Bool = false, _ body: (inout JSONReader) -> Void
    ) -> Bool {
        guard let member = present(name, .object, required) else { return false }
        read(member, at: place(name), body)
        return true
    }

    /// Every element of an array of objects; nil if it isn't there, else their number.
    @discardableResult
    mutating func objects(
        _ name: String, maxCount: Int = .max, required: Bool = false,
        _ body: (Int, inout JSONReader) -> Void
    ) -> Int? {
        guard let member = present(name, .array, required) else { return nil }
        let elements = member.elements
        guard withinLimit(name, elements.count, maxCount, "elements") else { return nil }
        for (ordinal, element) in elements.enumerated() {
            read(element, at: "\(place(name))/\(ordinal)") { reader in body(ordinal, &reader) }
        }
        return elements.count
    }

    /// Every member of an object whose names are the user's and whose values are objects; nil if it
    /// isn't there, else their number.
    @discardableResult
    mutating func map(
        _ name: String, maxCount: Int = .max, required: Bool = false,
        _ body: (String, inout JSONReader) -> Void
    ) -> Int? {
        guard let member = present(name, .object, required) else { return nil }
        let members = member.members
        guard withinLimit(name, members.count, maxCount, "members") else { return nil }
        for (key, element) in members {
            read(element, at: JSONPointer.appending(key, to: place(name))) { reader in
                body(key, &reader)
            }
        }
        return members.count
    }

    // MARK: Problems

    /// Reports something wrong with a member, in the caller's words.
    mutating func problem(_ name: String, _ detail: String) {
        append(place(name), detail)
    }

    /// Reports something wrong with the object as a whole.
    mutating func problem(_ detail: String) {
        append(pointer, detail)
    }

    /// Takes over what a reader of another part has found.
    mutating func add(_ found: [JSONProblem]) {
        for problem in found { append(problem.pointer, problem.detail) }
    }

    /// Reports the members that nobody asked for.
    mutating func finish() {
        guard value.kind == .object else { return }
        let count = value.memberCount
        // The usual case: every member was asked for, and no name needs to be made.
        if count < 64, taken == (1 << UInt64(count)) - 1 { return }
        var ordinal = 0
        for (name, _) in value.members {
            let isTaken = ordinal < 64 ? taken >> UInt64(ordinal) & 1 == 1 : known.contains(name)
            ordinal += 1
            if isTaken { continue }
            var detail = "unknown field \"\(name)\""
            if let nearest = Spelling.nearest(to: name, among: known) {
                detail += "; did you mean \"\(nearest)\"?"
            }
            append(place(name), detail)
        }
    }

    /// "expected one of …", with a guess at what was meant.
    static func notAmong(_ word: String, _ words: [String]) -> String {
        var detail =
            "\"\(word)\" is not one of \(words.map { "\"\($0)\"" }.joined(separator: ", "))"
        if let nearest = Spelling.nearest(to: word, among: words) {
            detail += "; did you mean \"\(nearest)\"?"
        }
        return detail
    }

    // MARK: Parts

    private func place(_ name: String) -> String { JSONPointer.appending(name, to: pointer) }

    private mutating func append(_ pointer: String, _ detail: String) {
        guard problems.count < Self.maxProblems else { return }
        problems.append(JSONProblem(pointer: pointer, detail: detail))
    }

    private mutating func missing(_ name: String) {
        guard value.kind == .object else { return }
        append(place(name), "is required")
    }

    private mutating func take(_ name: String) -> JSONValue? {
        known.append(name)
        guard mayHave(name), let (member, ordinal) = value.member(name) else { return nil }
        if ordinal < 64 { taken |= 1 << UInt64(ordinal) }
        return member
    }

    private func mayHave(_ name: String) -> Bool {
        nameLengths >> UInt64(name.utf8.count & 63) & 1 == 1
    }

    private mutating func present(
        _ name: String, _ kind: JSONKind, _ required: Bool
    ) -> JSONValue? {
        guard let member = take(name), !member.isNull else {
            if required { missing(name) }
            return nil
        }
        guard member.kind == kind else {
            problem(name, "expected \(kind.description), found \(member.kind.description)")
            return nil
        }
        return member
    }

    /// The text, or what is wrong with it. The place is left to the caller, who needs it only then.
    private static func text(
        _ value: JSONValue, maxBytes: Int, allowEmpty: Bool = true
    ) -> (text: String?, wrong: String) {
        guard value.kind == .string else {
            return (nil, "expected a string, found \(value.kind.description)")
        }
        guard !value.hasLoneSurrogate else {
            return (nil, "holds half of a surrogate pair, which is no Unicode text")
        }
        guard let text = value.string else { return (nil, "expected a string") }
        guard text.utf8.count <= maxBytes else {
            return (nil, "is \(text.utf8.count) bytes long, at most \(maxBytes) are allowed")
        }
        guard allowEmpty || !text.isEmpty else { return (nil, "must not be empty") }
        return (text, "")
    }

    private mutating func withinLimit(
        _ name: String, _ count: Int, _ maxCount: Int, _ noun: String
    ) -> Bool {
        guard count > maxCount else { return true }
        problem(name, "has \(count) \(noun), at most \(maxCount) are allowed")
        return false
    }

    private mutating func read(
        _ member: JSONValue, at place: String, _ body: (inout JSONReader) -> Void
    ) {
        var inner = JSONReader(member, pointer: place, problems: problems)
        if member.kind == .object {
            body(&inner)
            inner.finish()
        }
        problems = inner.problems
    }
}
