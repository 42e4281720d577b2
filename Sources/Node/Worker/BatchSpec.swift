/// How many attempts of a handler run together, and how long one of them waits for the others.
struct BatchSpec: Equatable, Sendable {
    /// More than one.
    let maxCount: Int
    let lingerMilliseconds: Int64
}
