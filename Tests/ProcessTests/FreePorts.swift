import Foundation
import Glibc
import Synchronization

@testable import Node

/// Ports that nobody listens on. They lie below the range from which the system picks ports of outgoing
/// connections, so that none of those takes one between the check and its use.
enum FreePorts {
    private static let given = Mutex<Set<UInt16>>([])

    static func next() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: 12_000..<32_000)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            let address = try Endpoint("127.0.0.1:\(port)").resolve()[0]
            if (try? Socket.listen(on: address, backlog: 1)) != nil { return port }
        }
        throw WaitFailure(description: "no free port")
    }
}
