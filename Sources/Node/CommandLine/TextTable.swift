/// Rows in aligned columns, cut to the width of the terminal.
struct TextTable {
    struct Cell {
        let text: String
        let style: Style

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }
    }

    private let titles: [String]
    /// The column that gives way when the terminal is too narrow.
    private let flexibleColumn: Int?
    private var rows: [[Cell]] = []

    private static let gap = 2
    private static let leastFlexibleColumns = 12

    init(_ titles: [String], flexibleColumn: Int? = nil) {
        self.titles = titles
        self.flexibleColumn = flexibleColumn
    }

    mutating func append(_ cells: [Cell]) {
        precondition(cells.count == titles.count, "a row has a cell for each title")
        rows.append(cells.map { Cell(Self.printable($0.text), $0.style) })
    }

    func print(on console: Console) {
        var widths = titles.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() {
                widths[column] = max(widths[column], cell.text.count)
            }
        }
        if console.isOutputTerminal, let flexibleColumn {
            let total = widths.reduce(0, +) + Self.gap * (widths.count - 1)
            let excess = max(0, total - console.columns)
            let least = min(widths[flexibleColumn], Self.leastFlexibleColumns)
            widths[flexibleColumn] = max(least, widths[flexibleColumn] - excess)
        }
        console.print(line(titles.map { Cell($0, .strong) }, widths, console))
        for row in rows { console.print(line(row, widths, console)) }
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ console: Console) -> String {
        var result = ""
        let last = cells.lastIndex { !$0.text.isEmpty } ?? 0
        for (column, cell) in cells.enumerated() {
            var text = cell.text
            if text.count > widths[column] { text = text.prefix(widths[column] - 1) + "…" }
            result += cell.style.applied(to: text, on: console)
            guard column < last else { break }
            let padding = widths[column] - text.count + Self.gap
            result += String(repeating: " ", count: padding)
        }
        return result
    }

    /// Text from tasks may hold anything: a control character would move the cursor or break the row.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            result.append(isControl ? " " : scalar)
        }
        return String(result)
    }
}

/// Names and values below each other, for one thing.
struct TextDetails {
    private var rows: [(name: String, cell: TextTable.Cell)] = []

    mutating func append(_ name: String, _ text: String?, _ style: Style = .plain) {
        guard let text else { return }
        rows.append((name, TextTable.Cell(TextTable.printable(text), style)))
    }

    func print(on console: Console) {
        let width = rows.map(\.name.count).max() ?? 0
        for (name, cell) in rows {
            let padding = String(repeating: " ", count: width - name.count + 2)
            let value = cell.style.applied(to: cell.text, on: console)
            console.print(Style.faint.applied(to: name, on: console) + padding + value)
        }
    }
}
