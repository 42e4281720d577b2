/// The help of a command, derived from its place in the tree.
enum CommandHelp {
    static func text(_ command: CommandSpec, path: [String]) -> String {
        var lines = ["\(path.joined(separator: " ")): \(command.summary)", ""]
        lines.append("usage: \(usageLine(command, path: path))")
        if !command.details.isEmpty { lines += [""] + command.details }
        if !command.subcommands.isEmpty {
            lines += ["", "commands:"]
            lines += columns(command.subcommands.map { ($0.name, $0.summary) })
        }
        if !command.options.isEmpty {
            lines += ["", "options:"]
            lines += columns(
                command.options.map { (usage($0), $0.summary) })
        }
        let common = (command.usesCluster ? OptionSpec.common : []) + [OptionSpec.help]
        lines += ["", command.options.isEmpty ? "options:" : "common options:"]
        lines += columns(common.map { (usage($0), $0.summary) })
        if !command.examples.isEmpty {
            lines += ["", "examples:"]
            lines += command.examples.map { "  " + $0 }
        }
        if !command.subcommands.isEmpty {
            lines += [
                "", "\(path.joined(separator: " ")) COMMAND --help says more about a command.",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func usageLine(_ command: CommandSpec, path: [String]) -> String {
        var words = path
        if command.run == nil { words.append("COMMAND") }
        for option in command.options where option.isRequired {
            words.append("--\(option.name) \(option.value ?? "")")
        }
        words += command.operands.map(\.usage)
        if command.options.contains(where: { !$0.isRequired }) || command.usesCluster {
            words.append("[options]")
        }
        return words.joined(separator: " ")
    }

    private static func usage(_ option: OptionSpec) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        let value = option.value.map { " " + $0 } ?? ""
        return "\(short)--\(option.name)\(value)" + (option.isRepeated ? " …" : "")
    }

    /// Wider left columns get a line of their own.
    private static let maxLeftColumns = 26

    private static func columns(_ rows: [(left: String, right: String)]) -> [String] {
        let fitting = rows.map(\.left.count).filter { $0 <= maxLeftColumns }
        let width = fitting.max() ?? 0
        var lines: [String] = []
        for (left, right) in rows {
            if left.count <= width {
                let padding = String(repeating: " ", count: width - left.count + 2)
                lines.append("  " + left + padding + right)
            } else {
                lines.append("  " + left)
                lines.append(String(repeating: " ", count: width + 4) + right)
            }
        }
        return lines
    }
}
