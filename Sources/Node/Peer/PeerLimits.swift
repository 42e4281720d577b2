/// Bounds of the peer transport in bytes and time.
struct PeerLimits: Sendable {
    /// Room for an entry with a full bulk request and more.
    var maxFrameBytes = 32 * 1024 * 1024
    /// Waiting for one peer; beyond, messages are dropped.
    var maxQueuedBytes = 64 * 1024 * 1024
    /// Connections that have not yet said who they are.
    var maxUnidentifiedConnections = 64
    /// Callers of our cluster that we had not heard of: nodes that want to be taken in, or were removed.
    var maxGuests = 16
    /// Shorter than TCP's first repetition of a lost SYN, which comes after a second: a new attempt is
    /// the faster repetition.
    var connectMilliseconds = 900
    /// From the connection's beginning to the hello.
    var helloMilliseconds = 2_000
    var pingMilliseconds = 500
    /// A peer from which nothing comes for so long, pongs included, is given up and called anew.
    var silenceMilliseconds = 2_000
    /// The same for a caller, which pings.
    var callerSilenceMilliseconds = 5_000
    var firstBackoffMilliseconds = 10
    var maxBackoffMilliseconds = 500
    /// After a refusal, which only an operator or a change of membership can cure.
    var refusedBackoffMilliseconds = 5_000
    /// How long after the loss of a connection a refused one means that the peer's process has ended.
    var goneMilliseconds = 500
}
