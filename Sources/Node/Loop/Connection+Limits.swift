extension Connection {
    struct Limits {
        var highWaterBytes = 1024 * 1024
        var lowWaterBytes = 256 * 1024
        /// How much one connection may write in one turn, so that it does not hold up the others.
        var maxFlushBytesPerTurn = 1024 * 1024
        /// A peer that takes not a byte for so long is given up.
        var writeStallMilliseconds = 30_000
        /// After the last byte of a refusal: how long and how much of the peer's sending is discarded.
        var lingerMilliseconds = 2_000
        var maxLingerBytes = 16 * 1024 * 1024
        /// When a write fails, what the peer has sent before is read first. A server that refuses a request before it has come whole
        /// says so and closes, which fails the rest of the request while its answer waits to be read.
        var readsAfterFailedWrite = false
    }
}
