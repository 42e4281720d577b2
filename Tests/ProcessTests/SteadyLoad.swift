import Foundation
import Synchronization

@testable import Node

/// Submits one task after the other, under a key each, until it is told to stop; keeps what was acknowledged, and
/// what a client saw that it should not.
final class SteadyLoad: Sendable {
    private struct State {
        var ids: [String: String] = [:]
        var failures: [String] = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let threads = DispatchGroup()

    var acknowledged: Int { state.withLock { $0.ids.count } }
    /// Ids by key.
    var ids: [String: String] { state.withLock { $0.ids } }
    var failures: [String] { state.withLock { $0.failures } }

    /// - Parameter isStrict: every answer but success counts as a failure. Otherwise only one that can't be had
    ///   by asking again.
    init(connections: Int, endpoints: [Endpoint], isStrict: Bool = false) {
        for connection in 0..<connections {
            threads.enter()
            let thread = Thread { [self] in
                defer { threads.leave() }
                let start = connection % endpoints.count
                let client = NodeClient(Array(endpoints[start...] + endpoints[..<start]))
                var number = 0
                while !state.withLock({ $0.isOver }) {
                    number += 1
                    submit("load-\(connection)-\(number)", client, isStrict)
                }
            }
            thread.start()
        }
    }

    /// Waits until so many more are acknowledged, so that the load was seen at work.
    func awaitMore(_ count: Int) throws {
        let goal = acknowledged + count
        try eventually("\(goal) tasks are acknowledged") {
            acknowledged >= goal || !failures.isEmpty
        }
    }

    func stop() {
        state.withLock { $0.isOver = true }
        threads.wait()
    }

    private func submit(_ key: String, _ client: NodeClient, _ isStrict: Bool) {
        let body = "{\"handler\": \"echo\", \"payload\": \"\(key)\", \"key\": \"\(key)\"}"
        do {
            let id =
                isStrict
                ? try client.submit(body, key: key) : try client.submitSurely(body, key: key)
            state.withLock { $0.ids[key] = id }
        } catch {
            state.withLock { $0.failures.append("\(key): \(error)") }
        }
    }
}
