import Glibc

/// Rows on standard output, each as soon as it is known.
enum Table {
    static func title(_ name: String, _ columns: [String]) {
        print("")
        row(name, columns)
    }

    static func row(_ name: String, _ columns: [String]) {
        var line = name + String(repeating: " ", count: max(1, 44 - name.count))
        for column in columns {
            line += String(repeating: " ", count: max(2, 17 - column.count)) + column
        }
        print(line)
        fflush(nil)
    }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let hundredths = (nanoseconds + 5_000) / 10_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
