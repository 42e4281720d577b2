import Scheduler

/// Why an attempt failed, as `kind` of its error.
enum FailureKind: String, Sendable {
    case error
    case timeout
    case exit
    /// The handler says that it may succeed later.
    case temporary
    case signal
    case http
    case connection
    /// The payload is not what the handler takes.
    case payload
    /// The handler itself is wrong: no such executable, no such name.
    case handler
    case resultTooLarge
    /// The handler began, and what it came to can't be told.
    case unanswered
    /// The result is too large for the state, and no store took it.
    case resultStore
}

extension AttemptResult {
    /// A failure whose message is cut to the size that the log takes.
    static func failure(
        _ kind: FailureKind, _ message: String, isRetryable: Bool = true,
        retryAfterMilliseconds: Int64? = nil
    ) -> AttemptResult {
        .failed(
            Failure(
                message: message.prefixOfBytes(WorkerLimits.maxErrorMessageBytes),
                kind: kind.rawValue, isRetryable: isRetryable,
                retryAfterMilliseconds: retryAfterMilliseconds))
    }

    /// What a process or a server wrote, as a result: JSON if it is JSON, else a string without the
    /// newline at its end. Bytes that are no UTF-8 become U+FFFD.
    static func success(output: [UInt8], isCutOff: Bool) -> AttemptResult {
        if isCutOff { return tooLarge }
        var json = trimmed(output)
        if json.isEmpty || !JSONDocument.isValid(json) {
            var text = output[...]
            if text.last == 0x0A { text.removeLast() }
            if text.last == 0x0D { text.removeLast() }
            var writer = JSONWriter(capacity: text.count + 2)
            writer.string(String(decoding: text, as: UTF8.self))
            json = writer.bytes
        }
        return success(json: json)
    }

    /// A result that is JSON already. What is too large for the state is for the node to put into a store.
    static func success(json: [UInt8]) -> AttemptResult {
        json.count <= WorkerLimits.maxResultBytes ? .succeeded(json) : tooLarge
    }

    private static var tooLarge: AttemptResult {
        failure(
            .resultTooLarge, "the result is larger than \(WorkerLimits.maxResultBytes) bytes",
            isRetryable: false)
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(bytes[first...last])
    }
}

extension String {
    /// The text if it has at most that many bytes of UTF-8, else as many whole characters as fit, and
    /// an ellipsis.
    func prefixOfBytes(_ maxBytes: Int) -> String {
        guard utf8.count > maxBytes else { return self }
        let ellipsis = "…"
        var end = utf8.index(utf8.startIndex, offsetBy: max(0, maxBytes - ellipsis.utf8.count))
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return self[..<end] + ellipsis
    }
}
