/// What a running attempt says of itself.
struct AttemptProgress: Equatable, Sendable {
    /// 0 to 100; nil leaves it as it was.
    var percent: Int?
    var note: String?
}

/// Cuts what a process writes on descriptor 3 into lines of JSON such as
/// `{"progress": 40, "note": "half way"}`. A line longer than the limit is dropped whole, so that a
/// process that never ends its line takes no memory.
struct ProgressLines {
    private var line: [UInt8] = []
    private var isTooLong = false

    /// Passes on more bytes; returns the last report in them, as only that one is still true, and adds
    /// to `complaints` what is wrong with lines.
    mutating func take(
        _ bytes: ArraySlice<UInt8>, complaints: inout [String]
    ) -> AttemptProgress? {
        var last: AttemptProgress?
        for byte in bytes {
            guard byte != 0x0A else {
                if let report = endLine(&complaints) { last = report }
                continue
            }
            if line.count < WorkerLimits.maxProgressLineBytes {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
        return last
    }

    /// The last line needs no newline.
    mutating func finish(complaints: inout [String]) -> AttemptProgress? {
        endLine(&complaints)
    }

    private mutating func endLine(_ complaints: inout [String]) -> AttemptProgress? {
        defer {
            line.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        if isTooLong {
            complaints.append(
                "progress line ignored: longer than \(WorkerLimits.maxProgressLineBytes) bytes")
            return nil
        }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { return nil }
        do {
            return try Self.parse(line)
        } catch {
            complaints.append("progress line ignored: \(error.description)")
            return nil
        }
    }

    private static func parse(_ line: [UInt8]) throws(JSONProblem) -> AttemptProgress {
        let document: JSONDocument
        do {
            document = try JSONDocument(line)
        } catch {
            throw JSONProblem(pointer: "", detail: error.description)
        }
        var reader = JSONReader(document.root)
        let number = reader.value("progress")
        let note = reader.string("note", maxBytes: WorkerLimits.maxProgressNoteBytes)
        reader.finish()
        if let problem = reader.problems.first { throw problem }
        guard let number, !number.isNull else { return AttemptProgress(percent: nil, note: note) }
        guard let percent = number.double, percent >= 0, percent <= 100 else {
            throw JSONProblem(pointer: "/progress", detail: "expected a number from 0 to 100")
        }
        return AttemptProgress(percent: Int(percent), note: note)
    }
}
