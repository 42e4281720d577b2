/// Checks that requests to attach with one key begin one session, however often and late they come: no worker's session is
/// ended by what it had asked for before.
struct AttachmentBooks {
    private var sessions: [String: UInt64] = [:]
    /// Requests that came again.
    private(set) var repeated = 0

    mutating func note(_ key: String, _ session: UInt64) throws(Violation) {
        guard let known = sessions[key] else {
            sessions[key] = session
            return
        }
        repeated += 1
        guard known == session else {
            throw Violation(
                "an attachment begins one session",
                "\(key) began session \(known), and \(session) when it came again")
        }
    }
}
