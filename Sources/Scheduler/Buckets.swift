/// An array in buckets of 256: after a copy, a mutation copies one bucket instead of everything, so that a
/// snapshot can be taken without holding up the loop.
struct Buckets<Element: Sendable>: Sendable {
    private static var bucketSize: Int { 256 }

    private var buckets: [[Element]] = []
    private(set) var count = 0

    mutating func append(_ element: Element) {
        if count % Self.bucketSize == 0 { buckets.append([]) }
        buckets[buckets.count - 1].append(element)
        count += 1
    }

    subscript(position: Int) -> Element {
        // As in `TaskTable`.
        _read {
            let bucket = buckets[position / Self.bucketSize]
            yield bucket.span[position % Self.bucketSize]
        }
        _modify { yield &buckets[position / Self.bucketSize][position % Self.bucketSize] }
    }
}
