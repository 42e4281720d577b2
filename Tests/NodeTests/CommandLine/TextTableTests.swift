import Testing

@testable import Node

struct TextTableTests {
    private func table() -> TextTable {
        var table = TextTable(["ID", "STATE", "NOTE"], flexibleColumn: 2)
        table.append([
            .init("t1"), .init("dead", .bad), .init("a long explanation of what happened"),
        ])
        table.append([.init("t1234"), .init("running", .busy), .init("")])
        return table
    }

    @Test func `columns are aligned`() {
        let console = Console(capturingAsTerminal: true, columns: 200)
        table().print(on: console)
        #expect(
            console.output == """
                ID     STATE    NOTE
                t1     dead     a long explanation of what happened
                t1234  running

                """)
    }

    @Test func `the flexible column gives way on a narrow terminal only`() {
        let narrow = Console(capturingAsTerminal: true, columns: 34)
        table().print(on: narrow)
        #expect(narrow.output.contains("t1     dead     a long explanatio…\n"))
        let pipe = Console(capturingAsTerminal: false, columns: 34)
        table().print(on: pipe)
        #expect(pipe.output.contains("what happened"))
    }

    @Test func `colours do not move columns, and stay away where they are not wanted`() {
        let coloured = Console(capturingAsTerminal: true, columns: 200, hasColour: true)
        table().print(on: coloured)
        #expect(coloured.output.contains("t1     \u{1B}[31mdead\u{1B}[0m     a long"))
        let plain = Console(capturingAsTerminal: true, columns: 200)
        table().print(on: plain)
        #expect(!plain.output.contains("\u{1B}"))
    }

    @Test func `control characters of a task's text do not reach the terminal`() {
        let console = Console(capturingAsTerminal: true)
        var table = TextTable(["A"])
        table.append([.init("x\u{1B}[2J\ny")])
        table.print(on: console)
        #expect(console.output == "A\nx [2J y\n")
    }

    @Test(arguments: [
        (0, "now"), (-3_000, "3s ago"), (-90_000, "90s ago"), (-150_000, "2m ago"),
        (5_400_000, "in 1h30m"), (7_200_000, "in 2h"), (-266_400_000, "3d2h ago"),
    ])
    func `times are said as people say them`(distance: Int64, text: String) {
        #expect(RelativeTime.text(1_000_000_000_000 + distance, now: 1_000_000_000_000) == text)
    }

    @Test func `the progress bar fills up`() {
        let line = ProgressBar.line(
            accepted: 500, refused: 2, doneBytes: 50, totalBytes: 100, elapsedMilliseconds: 250)
        #expect(line == "[###############---------------] 50%  500 accepted  2000/s  2 refused")
        let unknown = ProgressBar.line(
            accepted: 1, refused: 0, doneBytes: 5, totalBytes: nil, elapsedMilliseconds: 0)
        #expect(unknown == "1 accepted  1000/s")
    }
}
