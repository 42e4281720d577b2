/// A request that cannot be understood or is refused before any handler sees it. The connection closes
/// after the answer, because what follows on it cannot be told apart from the broken request.
struct HTTPFailure: Error, Equatable, Sendable {
    var status: Int
    var detail: String

    init(_ status: Int, _ detail: String) {
        self.status = status
        self.detail = detail
    }
}
