import Scheduler

/// What an attached worker shows with each request: the number of its session, as text.
enum WorkerSession {
    enum Standing: Equatable {
        case current
        /// Declared lost, or it left: the worker may begin another one.
        case lost
        /// Somebody else has begun one under this name since.
        case replaced
        case unknown
    }

    static let maxTextBytes = 32

    static func text(_ session: UInt64) -> String { String(session, radix: 16) }

    static func number(_ text: String) -> UInt64? {
        guard let number = UInt64(text, radix: 16), Incarnation.isSession(number) else {
            return nil
        }
        return number
    }

    static func standing(_ worker: String, _ session: UInt64, _ scheduler: Scheduler) -> Standing {
        guard let known = scheduler.workerStanding(worker),
            Incarnation.isSession(known.incarnation)
        else { return .unknown }
        guard known.incarnation == session else { return .replaced }
        return known.state == .lost ? .lost : .current
    }

    /// What to tell a worker whose session is not the current one.
    static func problem(_ standing: Standing, _ worker: String) -> Problem? {
        switch standing {
        case .current: nil
        case .lost:
            Problem(
                kind: .sessionLost, status: 409,
                detail:
                    "The session of \"\(worker)\" is over: its heartbeats were missed, or it left. What it ran is assigned "
                    + "elsewhere; it may begin another one.")
        case .replaced:
            Problem(
                kind: .sessionReplaced, status: 409,
                detail: "Somebody else has begun a session as \"\(worker)\" since.")
        case .unknown: .notFound("attached worker", worker)
        }
    }
}
