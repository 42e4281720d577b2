/// What the state machine remembers of one origin's requests, so that a request sent again is answered as the
/// first time and not executed twice.
struct Session: Equatable, Sendable {
    struct Remembered: Equatable, Sendable {
        var sequence: UInt64
        var outcome: Outcome
    }

    let origin: String
    private(set) var incarnation: UInt64
    /// The origin has the answers to all lower sequences and sends none of them again.
    private(set) var acknowledgedBelow: UInt64 = 0
    /// Ascending by sequence, from `head` on; what lies before is forgotten already.
    private var outcomes: [Remembered] = []
    private var head = 0

    init(origin: String, incarnation: UInt64) {
        self.origin = origin
        self.incarnation = incarnation
    }

    init(
        origin: String, incarnation: UInt64, acknowledgedBelow: UInt64, remembered: [Remembered]
    ) {
        self.init(origin: origin, incarnation: incarnation)
        self.acknowledgedBelow = acknowledgedBelow
        outcomes = remembered
    }

    var remembered: ArraySlice<Remembered> { outcomes[head...] }

    var count: Int { outcomes.count - head }

    /// A new process of the origin: it knows nothing of the requests of the old one.
    mutating func restart(incarnation: UInt64) {
        self = Session(origin: origin, incarnation: incarnation)
    }

    mutating func acknowledge(below sequence: UInt64) {
        guard sequence > acknowledgedBelow else { return }
        acknowledgedBelow = sequence
        head = place(of: sequence)
        if head * 2 >= outcomes.count {
            outcomes.removeSubrange(0..<head)
            head = 0
        }
    }

    func outcome(of sequence: UInt64) -> Outcome? {
        guard let last = outcomes.last, sequence <= last.sequence else { return nil }
        let place = place(of: sequence)
        guard outcomes[place].sequence == sequence else { return nil }
        return outcomes[place].outcome
    }

    /// Requests come in the order of their sequences, except where some are sent again.
    mutating func remember(_ sequence: UInt64, _ outcome: Outcome) {
        let remembered = Remembered(sequence: sequence, outcome: outcome)
        if let last = outcomes.last, sequence <= last.sequence {
            outcomes.insert(remembered, at: place(of: sequence))
        } else {
            outcomes.append(remembered)
        }
    }

    /// The first place whose sequence is not below `sequence`.
    private func place(of sequence: UInt64) -> Int {
        var low = head
        var high = outcomes.count
        while low < high {
            let middle = (low + high) / 2
            if outcomes[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    static func == (left: Session, right: Session) -> Bool {
        left.origin == right.origin && left.incarnation == right.incarnation
            && left.acknowledgedBelow == right.acknowledgedBelow
            && left.remembered.elementsEqual(right.remembered)
    }
}
