import Scheduler

/// What a task of a long list says besides its payload. Most lists are of one kind of task: then the first is read, and the
/// others are compared with it byte by byte, which takes a tenth of the time.
struct SubmissionShape {
    private let before: [UInt8]
    private let behind: [UInt8]
    private let spec: TaskSpec

    /// `spec` is what `value` was read to, completely. nil: without a payload, or if that has a say in more than itself.
    init?(_ value: JSONValue, readAs spec: TaskSpec) {
        // What a payload wants of its predecessors is checked as it is read.
        guard spec.after.isEmpty, let payload = value["payload"] else { return nil }
        before = Array(value.document.bytes[value.range.lowerBound..<payload.range.lowerBound])
        behind = Array(value.document.bytes[payload.range.upperBound..<value.range.upperBound])
        self.spec = spec
    }

    /// What `value` would be read to; nil: it has to be read.
    func spec(of value: JSONValue) -> TaskSpec? {
        guard let payload = value["payload"], payload.range.count <= Limits.maxPayloadBytes,
            stands(before, in: value.document, value.range.lowerBound..<payload.range.lowerBound),
            stands(behind, in: value.document, payload.range.upperBound..<value.range.upperBound)
        else { return nil }
        var spec = self.spec
        spec.payload = payload.raw
        return spec
    }

    private func stands(_ part: [UInt8], in document: JSONDocument, _ range: Range<Int>) -> Bool {
        guard part.count == range.count else { return false }
        let bytes = document.bytes
        for index in 0..<part.count where part[index] != bytes[range.lowerBound + index] {
            return false
        }
        return true
    }
}
