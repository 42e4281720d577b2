import Foundation

/// A condition that did not come true.
struct WaitFailure: Error, CustomStringConvertible {
    let description: String
}

/// Looks again until the condition holds. The limit is generous: it tells a hang from a slow machine, and
/// no test passes or fails by speed.
func eventually(
    _ what: String, withinSeconds seconds: Double = 60, everyMilliseconds pause: UInt32 = 20,
    _ condition: () throws -> Bool
) throws {
    let end = Date().addingTimeInterval(seconds)
    while try !condition() {
        guard Date() < end else {
            throw WaitFailure(description: "not within \(seconds) s: \(what)")
        }
        usleep(pause * 1000)
    }
}
