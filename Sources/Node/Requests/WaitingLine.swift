/// Requests that wait for a connection, first come first served. One that is cancelled stays in its place until it is its turn, or
/// until those are most: so neither costs more the longer the line is.
struct WaitingLine {
    private var exchanges: [PlainExchange?] = []
    private var first = 0
    private(set) var count = 0

    private static let minTidied = 64

    mutating func append(_ exchange: PlainExchange) {
        exchanges.append(exchange)
        count += 1
    }

    mutating func popFirst() -> PlainExchange? {
        while first < exchanges.count {
            let next = exchanges[first].take()
            first += 1
            if let next, !next.isOver {
                count -= 1
                tidy()
                return next
            }
        }
        tidy()
        return nil
    }

    /// One of those that wait was cancelled.
    mutating func forgetOne() {
        count -= 1
        tidy()
    }

    private mutating func tidy() {
        guard exchanges.count >= Self.minTidied, exchanges.count > 2 * count else { return }
        exchanges = exchanges[first...].filter { $0?.isOver == false }
        first = 0
    }
}
