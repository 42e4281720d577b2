import CLinux

/// What a descriptor is watched for, and what was found: epoll's bits.
struct Readiness: OptionSet, Sendable {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// Both directions are closed. Reported whether watched for or not.
    static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// Reported whether watched for or not.
    static let failed = Readiness(rawValue: EPOLLERR.rawValue)
    /// Report each change once instead of the state in every turn.
    static let edge = Readiness(rawValue: 1 << 31)
}

/// One period in which the loop watches one descriptor.
struct Registration: Equatable, Sendable {
    let descriptor: Int32
    /// Tells this use of the descriptor's number from earlier and later ones.
    let id: UInt32
}
