/// How fast a newcomer gets what is in the log, in rounds (dissertation, section 4.2.1): each is over when the newcomer
/// has on disk all that was in the log when the round began. The first takes as long as the log is; later ones are
/// about what was appended meanwhile, until one takes no longer than any append does. Then a decision that needs
/// the newcomer waits for it no longer than that.
///
/// The bytes it lacks would not say that: a slow disk makes everybody wait for the last few of them.
struct CatchUp: Sendable {
    /// Rounds as short as a heartbeat's interval are hoped for in this many; later ones need only be shorter than an
    /// election, which is what a newcomer far away, or with a slow disk, may ever reach.
    static let hopefulRounds = 10

    /// What the newcomer has to have for the round to end; 0 before the first.
    private var end: Index = 0
    private var begunAt: Nanoseconds = 0
    private var rounds = 0
    private var wasLastShort = false

    /// - Parameter match: what the newcomer has.
    mutating func note(
        match: Index, lastIndex: Index, now: Nanoseconds, settings: Settings
    ) {
        if end == 0 {
            (end, begunAt) = (lastIndex, now)
        }
        guard match >= end else { return }
        let longest =
            rounds < Self.hopefulRounds
            ? settings.heartbeatNanoseconds : settings.electionNanoseconds
        wasLastShort = match == lastIndex || now - begunAt < longest
        rounds += 1
        (end, begunAt) = (lastIndex, now)
    }

    /// The last round was short, and the one that has begun since is not already longer than an election.
    func isDone(now: Nanoseconds, settings: Settings) -> Bool {
        wasLastShort && now - begunAt < settings.electionNanoseconds
    }
}
