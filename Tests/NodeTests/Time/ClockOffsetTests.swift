import Testing

@testable import Node

@Suite struct ClockOffsetTests {
    @Test(arguments: [
        ("+90s", 90_000), ("-5m", -300_000), ("+0", 0), ("-1h30m", -5_400_000),
        ("+365d", 31_536_000_000),
    ]) func isADurationWithItsSign(text: String, milliseconds: Int64) {
        #expect(ClockOffset(text)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["", "+", "90s", "90", "--1s", "+-1s", "+90", "+1s ", "+366d", "−1s"])
    func anythingElseIsRefused(text: String) {
        #expect(ClockOffset(text) == nil)
    }

    @Test func theConfigurationNamesAWrongOne() {
        let wrong = EnvironmentOverrides([ClockOffset.variable: "90"])
        #expect(wrong.problems().map(\.pointer) == [ClockOffset.variable])
        let right = EnvironmentOverrides([ClockOffset.variable: "-90s"])
        #expect(right.problems().isEmpty)
    }
}
