import Foundation
import Scheduler
import Testing

@testable import Node

/// Instants that another implementation computed, from `cron-cases.txt`: `scripts/cron-cases` writes it, and says where
/// they come from.
@Suite struct CronCaseTests {
    private struct Case {
        let line: Int
        let expression: String
        let zone: String
        /// `croniter`, or why croniter's answer is not ours.
        let origin: String
        let start: Int64
        let expected: [Int64]
    }

    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("cron-cases.txt")

    /// The cases, and the files of their zones: what the machine knows of zones does not matter.
    private static func read() throws -> (cases: [Case], zones: [String: [UInt8]]) {
        var cases: [Case] = []
        var zones: [String: [UInt8]] = [:]
        let text = try String(contentsOf: file, encoding: .utf8)
        for (number, line) in text.split(separator: "\n").enumerated() where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields[0] == "zone" {
                zones[fields[1]] = Array(try #require(Data(base64Encoded: fields[2])))
                continue
            }
            try #require(fields.count == 5, "line \(number + 1)")
            cases.append(
                Case(
                    line: number + 1, expression: fields[0], zone: fields[1], origin: fields[2],
                    start: try instant(fields[3]),
                    expected: try fields[4].split(separator: " ").map { try instant(String($0)) }))
        }
        return (cases, zones)
    }

    @Test func agreesWithAnotherImplementation() throws {
        let (cases, files) = try Self.read()
        var zones = ZoneTable(directories: ["z"]) { files[String($0.dropFirst(2))] }
        for known in cases {
            let cron = try Cron(known.expression)
            let zone = try zones.zone(known.zone)
            var last = known.start
            for expected in known.expected {
                let next = cron.next(after: last, in: zone)
                #expect(
                    next == expected,
                    "line \(known.line): \(known.expression) in \(known.zone), \(known.origin)")
                last = expected
            }
        }
    }

    /// So many that nobody doubts, and few of our own.
    @Test func mostCasesAreOfTheOther() throws {
        let (cases, files) = try Self.read()
        let theirs = cases.filter { $0.origin == "croniter" }
        #expect(theirs.count > 2_000)
        #expect(Set(cases.map(\.origin)) == ["croniter", "twice", "gap", "twin", "unknown"])
        #expect(files.count >= 18)
        #expect(cases.count - theirs.count < 200)
    }
}
