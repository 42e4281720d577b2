import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct HistoryProcessTests {
        private func lines(below directory: String) throws -> [String] {
            var lines: [String] = []
            for path in try FileManager.default.subpathsOfDirectory(atPath: directory)
            where path.hasSuffix(".ndjson") {
                let text = try String(contentsOfFile: "\(directory)/\(path)", encoding: .utf8)
                #expect(text.hasSuffix("\n"))
                lines += text.split(separator: "\n").map(String.init)
            }
            return lines
        }

        @Test func `tasks are dropped when they are written down, and not before`() throws {
            let cluster = try ClusterFixture()
            let directory = cluster.directory + "/history"
            try cluster.configure(
                """
                "retention": {"succeeded": "0s", "dead": "0s",
                              "export": {"directory": "\(directory)", "interval": "1s"}}
                """)
            // No directory can be made where a file is.
            try "".write(toFile: directory, atomically: true, encoding: .utf8)
            try cluster.startAll()
            let client = cluster.client()
            var ids = try (0..<30).map { number in
                try client.submit("{\"handler\": \"echo\", \"payload\": \"\(number)\"}")
            }
            ids.append(try client.submit(#"{"handler": "fail", "retry": {"attempts": 1}}"#))
            _ = try client.awaitEnd(of: ids)
            func awaitFailure() throws {
                let leader = try cluster.leader()
                try eventually("\(leader) could not write") {
                    let text = try cluster.client(leader).send("GET", "/metrics")
                    return String(decoding: text.body, as: UTF8.self)
                        .split(separator: "\n").contains {
                            $0.hasPrefix("carillon_history_failures_total ") && !$0.hasSuffix(" 0")
                        }
                }
            }
            try awaitFailure()
            let leader = try cluster.leader()
            try cluster.kill(leader)
            try awaitFailure()
            try cluster.start(leader)
            try cluster.awaitReady([leader])
            let kept = try ids.map { id in
                let reply = try client.send("GET", "/v1/tasks/\(id)")
                #expect(reply.status == 200)
                return String(decoding: reply.body, as: UTF8.self)
            }
            #expect(cluster.log(leader).contains("can't be exported"))

            try FileManager.default.removeItem(atPath: directory)
            try eventually("all are dropped") { try client.tasks().isEmpty }
            #expect(try lines(below: directory).sorted() == kept.sorted())
            // And so it goes on.
            let next = try client.submit(#"{"handler": "echo"}"#)
            try eventually("the next one is dropped") {
                try client.send("GET", "/v1/tasks/\(next)").status == 404
            }
            #expect(try lines(below: directory).contains { $0.contains("\"id\":\"\(next)\"") })
        }

        @Test func `tasks outlive leaders that die while they are written down`() throws {
            let cluster = try ClusterFixture()
            let directory = cluster.directory + "/history"
            try cluster.configure(
                """
                "retention": {"succeeded": "0s",
                              "export": {"directory": "\(directory)", "interval": "1s"}}
                """)
            try cluster.startAll()
            let client = cluster.client()
            var ids: [String] = []
            for round in 0..<3 {
                for number in 0..<200 {
                    ids.append(
                        try client.submitSurely(
                            "{\"handler\": \"echo\"}", key: "\(round)-\(number)"))
                }
                let leader = try cluster.leader()
                try cluster.kill(leader)
                try cluster.start(leader)
                try cluster.awaitReady([leader])
            }
            try eventually("all are dropped") { try client.tasks().isEmpty }
            let written = try lines(below: directory).map { line in
                try JSONDocument(Array(line.utf8)).root.shown("id")
            }
            #expect(Set(written) == Set(ids))
        }
    }
}
