import Scheduler

/// The handlers that every worker has, for trying and testing. What a payload holds beside what they look for is not their
/// business: it may be there for the limits of a queue, or for whoever reads it.
enum BuiltinHandler: String, CaseIterable, Sendable {
    /// Its payload is its result.
    case echo
    /// `{"ms": 50}`: waits so long.
    case sleep
    /// `{"times": 2}`: fails its first two attempts, then succeeds; without `times` always.
    case fail
    /// `{"text": "…"}` → `{"palindrome": true}`: whether the letters and digits of the text read the same
    /// from both ends, in units of what a reader takes for a character, without regard to case, and to
    /// anything that is neither letter nor digit.
    case palindrome

    /// What an attempt comes to, and how long it takes.
    struct Course: Equatable {
        var afterMilliseconds: Int64 = 0
        var result: AttemptResult
    }

    func run(payload: [UInt8], attempt: UInt32) -> Course {
        if self == .echo { return Course(result: .success(json: payload)) }
        let document: JSONDocument
        do {
            document = try JSONDocument(payload)
        } catch {
            return Self.refusal("is not JSON: \(error.description)")
        }
        if self == .fail, document.root.isNull { return Self.failure(attempt: attempt, times: nil) }
        var reader = JSONReader(document.root)
        switch self {
        case .echo, .sleep:
            let milliseconds = reader.integer(
                "ms", in: 0...Limits.maxTimeoutMilliseconds, required: true)
            guard reader.problems.isEmpty, let milliseconds else { return Self.refusal(reader) }
            return Course(
                afterMilliseconds: milliseconds,
                result: .succeeded(Array("{\"ms\":\(milliseconds)}".utf8)))
        case .fail:
            let times = reader.integer("times", in: 0...Int64(UInt32.max))
            guard reader.problems.isEmpty else { return Self.refusal(reader) }
            return Self.failure(attempt: attempt, times: times)
        case .palindrome:
            let text = reader.string(
                "text", maxBytes: WorkerLimits.maxPalindromeBytes, required: true)
            guard reader.problems.isEmpty, let text else { return Self.refusal(reader) }
            let answer = Self.isPalindrome(text)
            return Course(result: .succeeded(Array("{\"palindrome\":\(answer)}".utf8)))
        }
    }

    static func isPalindrome(_ text: String) -> Bool {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return isPalindrome(ascii: Array(text.utf8)) }
        let lower = text.lowercased()
        var forward = lower.startIndex
        var backward = lower.endIndex
        while forward < backward {
            let first = lower[forward]
            guard first.isLetter || first.isNumber else {
                forward = lower.index(after: forward)
                continue
            }
            backward = lower.index(before: backward)
            guard forward < backward else { return true }
            let last = lower[backward]
            guard last.isLetter || last.isNumber else { continue }
            if first != last { return false }
            forward = lower.index(after: forward)
        }
        return true
    }

    /// The same for texts where each byte is a character, without the cost of finding where characters
    /// end.
    private static func isPalindrome(ascii bytes: [UInt8]) -> Bool {
        let letters = bytes.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                return byte
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte | 0x20
            default: return nil
            }
        }
        return (0..<letters.count / 2).allSatisfy { letters[$0] == letters[letters.count - 1 - $0] }
    }

    private static func failure(attempt: UInt32, times: Int64?) -> Course {
        if let times, Int64(attempt) > times {
            return Course(result: .succeeded(Array("{\"attempt\":\(attempt)}".utf8)))
        }
        let wanted = times.map { "the first \($0) attempts fail" } ?? "every attempt fails"
        return Course(
            result: .failure(.error, "failed as asked: \(wanted), this is number \(attempt)"))
    }

    private static func refusal(_ reader: JSONReader) -> Course {
        refusal(reader.problems.map(\.description).joined(separator: "; "))
    }

    private static func refusal(_ reason: String) -> Course {
        Course(result: .failure(.payload, "the payload \(reason)", isRetryable: false))
    }
}
