/// What a reply to a submission says of its tasks.
enum SubmissionReply {
    /// How many tasks it acknowledges; what it does not is counted by kind.
    static func acknowledged(
        _ head: ReplyHead, _ body: Span<UInt8>, asked: Int, _ failures: inout FailureCounts
    ) -> UInt64 {
        guard head.status == 200 || head.status == 201 else {
            failures.add(problem(head, body))
            return 0
        }
        // One task alone; the same with 200 was there before, or is an array's answer.
        if head.status == 201 { return 1 }
        var found = 0
        TaskNumbers.each(in: body) { _ in found += 1 }
        guard found != asked else { return UInt64(asked) }
        // Rare enough to be taken apart.
        guard let document = try? JSONDocument(body.array()),
            let items = document.root["items"]?.elements, items.count == asked
        else {
            failures.add("a reply that does not answer each task")
            return 0
        }
        var accepted: UInt64 = 0
        for item in items {
            if let error = item["error"] {
                failures.add(ProblemText.kind(error) ?? "refused")
            } else {
                accepted += 1
            }
        }
        return accepted
    }

    /// In a word, such as `429 full`.
    static func problem(_ head: ReplyHead, _ body: Span<UInt8>) -> String {
        let document = try? JSONDocument(body.array())
        let kind = document.flatMap { ProblemText.kind($0.root) }
        return "\(head.status)" + (kind.map { " \($0)" } ?? "")
    }
}
