// A worker for Carillon in Swift.
//
//     swift run swift-worker --server http://127.0.0.1:7201,http://127.0.0.1:7202 --id swift1 --slots 4
//
// Write your own handlers below: a function that takes the payload and an `Attempt`, and returns the result.

import CarillonWorker
import Foundation

struct Text: Decodable {
    var text: String
}

struct WordCount: Encodable {
    var words: Int
}

struct Pause: Decodable {
    var ms: Int
}

/// The value behind `--name`.
func option(_ name: String) -> String? {
    let words = CommandLine.arguments
    guard let place = words.firstIndex(of: "--" + name), place + 1 < words.count else { return nil }
    return words[place + 1]
}

guard let id = option("id") else {
    print("swift-worker --id ID [--server URL[,URL…]] [--slots N]")
    exit(2)
}
let servers = (option("server") ?? "http://127.0.0.1:7201").split(separator: ",").map(String.init)
var worker = Worker(id: id, servers: servers, slots: option("slots").flatMap(Int.init) ?? 4)

worker.handle("count-words") { (payload: Text, attempt) in
    guard !payload.text.isEmpty else {
        throw TaskFailure("there is no text to count", kind: "payload", retry: false)
    }
    return WordCount(words: payload.text.split(whereSeparator: \.isWhitespace).count)
}

// Something long, which says how far it is. When nobody wants it any more, `sleep` throws.
worker.handle("wait") { (payload: Pause, attempt) -> Bool in
    for step in 0..<100 {
        attempt.report(progress: step, note: "waiting")
        try await Task.sleep(for: .milliseconds(payload.ms / 100))
    }
    return true
}

do {
    try await worker.run()
} catch {
    print("swift-worker: \(error)")
    exit(1)
}
