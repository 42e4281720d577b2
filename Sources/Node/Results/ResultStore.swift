import Scheduler

/// Where results that are too large for the state are kept, and logs: a directory of this node, or a bucket that all nodes
/// reach. On the loop; what takes long is done elsewhere, and each `then` is called once.
protocol ResultStore: AnyObject {
    /// The node through which alone its contents are reached; empty: through every node.
    var node: String { get }

    /// Replaces what has the name, and gives the SHA-256. `isDurable`: it must outlast a loss of power.
    func put(
        _ name: StoredName, _ bytes: [UInt8], isDurable: Bool,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void)

    /// `checksum`: the SHA-256 that it must have, if that is known.
    func get(
        _ name: StoredName, checksum: [UInt8]?,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void)

    func list(then: @escaping (Result<[StoredFile], StoreFailure>) -> Void)

    /// Those that are not there are none to be removed. Gives what went wrong, if anything did.
    func remove(_ names: [StoredName], then: @escaping (StoreFailure?) -> Void)
}

struct StoredFile: Equatable, Sendable {
    let name: StoredName
    /// Milliseconds since 1970.
    let modifiedAt: Milliseconds
}

enum StoreFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is nothing of that name, or not any more.
    case missing
    case full(maxBytes: UInt64)
    /// What is there is not what was put there.
    case damaged(String)
    case failed(String)

    var description: String {
        switch self {
        case .missing: "there is nothing of that name"
        case .full(let maxBytes): "the store holds \(maxBytes >> 20) MiB, as much as it may"
        case .damaged(let problem): problem
        case .failed(let problem): problem
        }
    }
}
