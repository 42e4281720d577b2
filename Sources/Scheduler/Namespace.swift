/// Which of several tenants a task, queue, schedule or template belongs to.
///
/// In the state names are qualified: bare in the default namespace, `namespace:name` in the others. No name holds a colon
/// of its own, so what belongs to whom stands in the name itself.
public struct Namespace: Hashable, Sendable, CustomStringConvertible {
    public let name: String

    /// That of whoever names none.
    public static let standard = Namespace(name: "default")

    public static let separator = UInt8(ascii: ":")

    public init(name: String) {
        self.name = name
    }

    /// That of a qualified name, or of the id of an occurrence.
    public init(of qualified: String) {
        guard let end = Self.separatorIndex(in: qualified) else {
            self = .standard
            return
        }
        name = String(qualified[..<end])
    }

    public var isStandard: Bool { self == .standard }

    public var description: String { name }

    /// As a name of this namespace stands in the state.
    public func qualified(_ name: String) -> String {
        isStandard ? name : "\(self.name):\(name)"
    }

    /// A qualified name, or the id of an occurrence, as it is called within its namespace.
    public static func bare(_ qualified: String) -> String {
        guard let end = separatorIndex(in: qualified) else { return qualified }
        return String(qualified[qualified.utf8.index(after: end)...])
    }

    /// Whether a qualified name belongs to it.
    public func holds(_ qualified: String) -> Bool {
        let text = qualified.utf8Span.span
        guard let end = Self.separatorPlace(in: text) else { return isStandard }
        let own = name.utf8Span.span
        guard own.count == end else { return false }
        for place in own.indices where own[place] != text[place] { return false }
        return true
    }

    /// How many bytes of a qualified name are its namespace, which `separator` follows; nil: it is bare.
    public static func separatorPlace(in qualified: Span<UInt8>) -> Int? {
        for place in qualified.indices {
            if qualified[place] == separator { return place }
            // The times in ids of occurrences hold colons too, behind an `@`, which stands in no name.
            if qualified[place] == UInt8(ascii: "@") { return nil }
        }
        return nil
    }

    private static func separatorIndex(in qualified: String) -> String.Index? {
        separatorPlace(in: qualified.utf8Span.span).map {
            qualified.utf8.index(qualified.utf8.startIndex, offsetBy: $0)
        }
    }

    // MARK: Among names in order

    /// What to make of a name while all are gone through in byte order.
    enum Step {
        case take
        /// Nothing before this name belongs to the namespace.
        case skip(to: String)
        case end
    }

    /// Names of the namespace behind `after` are not before this.
    func start(after: String?) -> String { qualified(after ?? "") }

    func step(at qualified: String) -> Step {
        guard isStandard else { return holds(qualified) ? .take : .end }
        guard let end = Self.separatorIndex(in: qualified) else { return .take }
        // Behind all that begins with `namespace:`.
        return .skip(to: qualified[..<end] + ";")
    }

    /// The places of its names behind `after` among all names, which are qualified and in byte order.
    func places(
        among count: Int, after: String?, limit: Int, name: (Int) -> String
    ) -> [Int] {
        func firstPlace(from wanted: String) -> Int {
            var low = 0
            var high = count
            while low < high {
                let middle = (low + high) / 2
                if isBefore(name(middle), wanted) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        let start = start(after: after)
        var place = firstPlace(from: start)
        var places: [Int] = []
        while place < count, places.count < limit {
            let qualified = name(place)
            switch step(at: qualified) {
            case .take:
                if qualified != start { places.append(place) }
                place += 1
            case .skip(let next): place = firstPlace(from: next)
            case .end: return places
            }
        }
        return places
    }
}
