import Raft

/// One thing that happened in a run.
struct StoryEvent: Equatable {
    enum Kind: UInt8, CaseIterable {
        case leadership, network, process, disk, clock, membership, phase
        /// What a node got, wrote and said: for the last moments only.
        case step
    }

    var time: Nanoseconds
    var kind: Kind
    var text: String

    var line: String {
        let milliseconds = time / 1_000_000
        return "\(milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst()) \(text)"
    }
}

/// What led to the end of a run, in few lines: the last events of each kind, in the order in which they
/// happened. Of the steps only those of the nodes that the violation names.
struct Story {
    private static let maxLines = 36
    private static let maxKeptOfAKind = 400

    private var events: [[StoryEvent]] = Array(repeating: [], count: StoryEvent.Kind.allCases.count)

    /// How many of a kind are worth telling.
    private static func quota(_ kind: StoryEvent.Kind) -> Int {
        switch kind {
        case .leadership: 6
        case .network, .process: 5
        case .disk, .membership: 4
        case .clock, .phase: 2
        case .step: 14
        }
    }

    mutating func add(_ event: StoryEvent) {
        let place = Int(event.kind.rawValue)
        // Acknowledgements come in flocks.
        if event.kind == .step, events[place].suffix(6).contains(where: { $0.text == event.text }) {
            return
        }
        events[place].append(event)
        // Moved rarely, kept short.
        if events[place].count >= 2 * Self.maxKeptOfAKind {
            events[place].removeFirst(Self.maxKeptOfAKind)
        }
    }

    /// - Parameter detail: of the violation; the nodes it names are those whose steps count.
    func lines(about detail: String) -> [String] {
        let named = Self.nodes(in: detail)
        var chosen: [(order: Int, event: StoryEvent)] = []
        var left = Self.maxLines
        for kind in StoryEvent.Kind.allCases.reversed() {
            let place = Int(kind.rawValue)
            let fitting = events[place].filter { event in
                kind != .step || named.isEmpty
                    || !named.isDisjoint(with: Self.nodes(in: event.text))
            }
            for event in fitting.suffix(min(Self.quota(kind), left)) {
                chosen.append((chosen.count, event))
                left -= 1
            }
        }
        chosen.sort { ($0.event.time, $0.order) < ($1.event.time, $1.order) }
        return chosen.map { "  \($0.event.line)" }
    }

    /// Words such as "n3", whatever stands around them.
    private static func nodes(in text: String) -> Set<Substring> {
        let words = text.split { !$0.isLetter && !$0.isNumber }
        return Set(
            words.filter { word in
                word.first == "n" && (2...3).contains(word.count)
                    && word.dropFirst().allSatisfy(\.isNumber)
            })
    }
}
