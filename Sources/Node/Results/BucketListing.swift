import Scheduler

/// A page of a bucket's contents, from the XML of ListObjectsV2. Keys of ours have no characters that XML would escape, and
/// all others are passed over, so looking for the elements' texts is enough.
struct BucketListing {
    private(set) var files: [StoredFile] = []
    /// Asks for the next page; nil: this is the last one.
    private(set) var continuation: String?

    /// nil: this is no such page.
    init?(_ body: [UInt8], prefix: String) {
        let text = String(decoding: body, as: UTF8.self)
        guard text.contains("<ListBucketResult") else { return nil }
        for part in Self.parts(of: text, "<Contents>", "</Contents>") {
            guard let key = Self.text("Key", in: part), key.hasPrefix(prefix),
                let name = StoredName(String(key.dropFirst(prefix.count))),
                let modified = Self.text("LastModified", in: part),
                let time = try? Timestamp.parse(modified)
            else { continue }
            files.append(StoredFile(name: name, modifiedAt: time))
        }
        if Self.text("IsTruncated", in: text[...]) == "true" {
            continuation = Self.text("NextContinuationToken", in: text[...])
        }
    }

    private static func text(_ element: String, in text: Substring) -> String? {
        parts(of: text, "<\(element)>", "</\(element)>", limit: 1).first.map(String.init)
    }

    private static func parts(
        of text: some StringProtocol, _ opening: String, _ closing: String, limit: Int = .max
    ) -> [Substring] {
        var parts: [Substring] = []
        var rest = Substring(text)
        while parts.count < limit, let start = rest.firstRange(of: opening) {
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: closing) else { break }
            parts.append(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
        return parts
    }
}
