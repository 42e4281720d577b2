import Node
import Raft

/// Single registers, each the payload of a schedule that never fires: written and read by several clients through any
/// node. The order of versions is known from the log, so linearizability is one comparison an operation:
/// whatever begins after something else has ended sees that, or something newer.
struct Registers {
    static let count = 3

    private struct Pending {
        var register: Int
        /// What anybody was told of this register before the operation began.
        var floor: Int
    }

    private var pending: [Token: Pending] = [:]
    private var floors = Array(repeating: 0, count: Registers.count)
    /// The version each payload made, in the order of the log, over all registers.
    private var versions: [[UInt8]: Int] = [:]
    private(set) var checkedCount = 0

    static func name(_ register: Int) -> String { "register-\(register)" }

    static func isRegister(_ schedule: String) -> Bool { schedule.hasPrefix("register-") }

    mutating func begin(_ token: Token, on register: Int) {
        pending[token] = Pending(register: register, floor: floors[register])
    }

    /// Took effect, now and once.
    mutating func written(_ payload: [UInt8]) throws(Violation) {
        guard versions.updateValue(versions.count + 1, forKey: payload) == nil else {
            throw Violation(
                "a request is done once",
                "\(String(decoding: payload, as: UTF8.self)) was written twice")
        }
    }

    func isWritten(_ payload: [UInt8]) -> Bool { versions[payload] != nil }

    mutating func endWrite(_ token: Token, _ payload: [UInt8]) throws(Violation) {
        guard let version = versions[payload] else {
            throw Violation(
                "no acknowledged write is lost", "\(String(decoding: payload, as: UTF8.self))")
        }
        try end(token, version, isWrite: true)
    }

    mutating func endRead(_ token: Token, _ payload: [UInt8]?) throws(Violation) {
        guard let payload else { return try end(token, 0, isWrite: false) }
        guard let version = versions[payload] else {
            throw Violation(
                "reads see what was written", "\(String(decoding: payload, as: UTF8.self))")
        }
        try end(token, version, isWrite: false)
    }

    private mutating func end(_ token: Token, _ version: Int, isWrite: Bool) throws(Violation) {
        guard let operation = pending.removeValue(forKey: token) else { return }
        checkedCount += 1
        guard isWrite ? version > operation.floor : version >= operation.floor else {
            throw Violation(
                "registers are linearizable",
                "\(Self.name(operation.register)): version \(version) after \(operation.floor)")
        }
        floors[operation.register] = max(floors[operation.register], version)
    }
}
