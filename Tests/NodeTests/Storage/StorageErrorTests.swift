import Glibc
import Testing

@testable import Node

struct StorageErrorTests {
    /// Whoever reads it at night has to learn what happened, where, and what to do.
    @Test func aDescriptionSaysWhatWhereAndWhatToDo() {
        let cases: [(StorageError, [String])] = [
            (
                .system(operation: "write", path: "/d/log", errno: ENOSPC),
                ["write /d/log", "No space left", "free some space"]
            ),
            (
                .system(operation: "sync", path: "/d/log", errno: EIO),
                ["sync /d/log", "check it before"]
            ),
            (.inUse(path: "/d/n1", processID: 77), ["/d/n1", "process 77"]),
            (.inUse(path: "/d/n1", processID: nil), ["another process"]),
            (
                .corrupt(path: "/d/log/segment-1", offset: 4_711, problem: "bad checksum"),
                ["/d/log/segment-1", "byte 4711", "bad checksum", "--join", "other nodes"]
            ),
            (.missing(path: "/d/log", problem: "the log is gone"), ["gone", "--join"]),
            (.tooLarge(what: "log entry 5", bytes: 9, maxBytes: 8), ["log entry 5", "9", "8"]),
            (.invalidName(what: "the node's id", name: "a/b"), ["the node's id", "a/b"]),
        ]
        for (error, parts) in cases {
            for part in parts {
                #expect(error.description.contains(part), "\(error) lacks \(part)")
            }
        }
    }
}
