import Testing

/// Everything that is tested on real processes of the built executable. One after the other: each test has
/// a cluster of its own, and several clusters at once would only slow each other down.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProcessTests {}
