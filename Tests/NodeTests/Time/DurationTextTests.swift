import Testing

@testable import Node

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0", 0), ("0s", 0), ("250ms", 250), ("10s", 10_000), ("1h30m", 5_400_000),
            ("7d", 604_800_000), ("1w", 604_800_000), ("1.5s", 1500), ("0.001s", 1),
            ("1d2h3m4s5ms", 93_784_005),
            ("36500d", DurationText.maxMilliseconds),
        ] as [(String, Int64)])
    func parses(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == milliseconds)
    }

    @Test(arguments: [
        "", "1", "s", "-1s", "1x", "1 s", " 1s", "1s ", "1s1h", "1s1s", "1.s", "1.0001s", "36501d",
        "99999999999999999999s", "9223372036854775807d", "1.1234567891d", "1S", "1mss", "1e3s",
    ])
    func refuses(text: String) {
        #expect(throws: DurationError.self) { try DurationText.parse(text) }
    }

    @Test(
        arguments: [
            (0, "0s"), (250, "250ms"), (5_400_000, "1h30m"), (604_800_000, "7d"), (1001, "1s1ms"),
            (-1500, "-1s500ms"),
        ] as [(Int64, String)])
    func formats(milliseconds: Int64, text: String) {
        #expect(DurationText.format(milliseconds) == text)
    }

    @Test func whatIsFormattedParsesBack() throws {
        for _ in 0..<1000 {
            let value = Int64.random(in: 0...DurationText.maxMilliseconds)
            #expect(try DurationText.parse(DurationText.format(value)) == value)
        }
    }

    @Test func saysWhatIsWrong() {
        let error = #expect(throws: DurationError.self) { try DurationText.parse("5parsecs") }
        #expect(error?.description.contains("unknown unit \"parsecs\"") == true)
    }
}
