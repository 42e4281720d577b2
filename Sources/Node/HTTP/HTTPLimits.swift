/// What one HTTP server takes from its clients. Beyond a limit the answer is an early refusal.
struct HTTPLimits: Sendable {
    /// 414 beyond.
    var maxRequestLineBytes = 8 * 1024
    /// Request line, fields and the empty line. 431 beyond.
    var maxHeadBytes = 32 * 1024
    /// 431 beyond.
    var maxFieldCount = 100
    /// 413 beyond. Large enough for 10,000 tasks in one request.
    var maxBodyBytes = 16 * 1024 * 1024
    /// All bodies being received together; 503 beyond.
    var maxTotalBodyBytes = 256 * 1024 * 1024
    /// Chunk sizes, extensions and trailers of one body; 400 beyond.
    var maxChunkOverheadBytes = 256 * 1024
    /// 503 beyond.
    var maxConnections = 4096
    /// Requests of one connection that wait for their answers; beyond, the connection is not read.
    var maxPipelinedRequests = 64
    /// Bytes of one connection's answers that are ready and wait for an earlier one; beyond, it is closed: it may have asked for
    /// long lists behind a stream that never ends.
    var maxHeldAnswerBytes = 16 * 1024 * 1024
    /// Bytes of a streamed answer that the client has not taken; beyond, `write` refuses.
    var maxStreamQueueBytes = 1024 * 1024
    /// From a request's first byte to the end of its head; 408 beyond.
    var headMilliseconds = 10_000
    /// For a body, besides the time that `minBodyBytesPerSecond` grants; 408 beyond.
    var bodyMilliseconds = 15_000
    var minBodyBytesPerSecond = 16 * 1024
    /// Between two requests of a connection; it is closed beyond.
    var idleMilliseconds = 75_000
}
