import Glibc
import Testing

@testable import Node

@Suite struct LogTests {
    private func line(
        _ message: String, _ fields: [(name: String, value: LogValue)] = [],
        _ format: LogFormat = .text
    ) -> String {
        let line = LogLine(
            timeMilliseconds: 1_795_249_800_000, level: .info, message: message, fields: fields)
        return String(decoding: line.encoded(format), as: UTF8.self)
    }

    @Test func textIsForPeople() {
        #expect(
            line(
                "leads",
                [("term", 4), ("peer", "127.0.0.1:1"), ("why", "no \"quorum\""), ("ok", true)])
                == "2026-11-21T08:30:00.000Z info    leads term=4 peer=127.0.0.1:1 why=\"no \\\"quorum\\\"\" ok=true\n"
        )
    }

    @Test func jsonIsAnObjectALine() throws {
        let text = line("leads", [("term", 4), ("why", "a\nb")], .json)
        #expect(
            text
                == #"{"time":"2026-11-21T08:30:00.000Z","level":"info","message":"leads","term":4,"why":"a\nb"}"#
                + "\n")
    }

    @Test func nothingForgesALineOrDrivesTheTerminal() {
        let text = line("a\nb\u{1B}[31m", [("x", "1\n2 error")])
        #expect(text.filter { $0 == "\n" }.count == 1)
        #expect(!text.contains("\u{1B}"))
    }

    @Test(arguments: LogFormat.allCases)
    func longLinesAreCutToWhatAPipeTakesWhole(format: LogFormat) {
        let long = String(repeating: "\u{1}é", count: 5_000)
        let cut = line("message", [("a", 1), ("b", "\(long)")], format)
        #expect(cut.utf8.count <= LogLine.maxBytes)
        #expect(cut.contains("message") && cut.contains("a") && cut.hasSuffix("\n"))
        let message = line(long, [("a", 1)], format)
        #expect(message.utf8.count <= LogLine.maxBytes && message.hasSuffix("\n"))
    }

    private func withPipe(_ body: (_ reading: Int32, _ writing: Int32) throws -> Void) rethrows {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer {
            close(ends[0])
            close(ends[1])
        }
        try body(ends[0], ends[1])
    }

    @Test func linesBelowTheLevelCostNoInterpolation() throws {
        try withPipe { reading, writing in
            let log = Log(level: .warning, descriptor: writing)
            var made = 0
            func text() -> String {
                made += 1
                return "x"
            }
            log.info(text(), ["a": "\(text())"])
            #expect(made == 0)
            log.warning(text(), ["a": "\(text())"])
            #expect(made == 2)
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = read(reading, &buffer, buffer.count)
            try #require(count > 0)
            #expect(String(decoding: buffer[..<count], as: UTF8.self).hasSuffix(" warning x a=x\n"))
        }
    }

    @Test func aFullPipeHoldsNobodyUpAndTheLossIsTold() throws {
        try withPipe { reading, writing in
            let log = Log(descriptor: writing)
            let long = String(repeating: "x", count: 4_000)
            for _ in 0..<100 { log.info(long) }
            let lost = log.droppedLines
            #expect(lost > 0 && lost < 100)
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            try #require(read(reading, &buffer, buffer.count) > 0)
            log.info("again")
            let count = read(reading, &buffer, buffer.count)
            try #require(count > 0)
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            #expect(text.hasSuffix("again droppedLines=\(lost)\n"))
            #expect(log.droppedLines == 0)
        }
    }
}
