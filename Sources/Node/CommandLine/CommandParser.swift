/// Finds the command that the words name, and takes its options and operands apart.
///
/// Options may stand before, between and after operands, as `--name value`, `--name=value`, `-n value` or
/// `-nvalue`. `--` ends the options. A single `-` is an operand or a value.
struct CommandParser {
    private let root: CommandSpec
    private let words: [String]
    private var position = 0
    /// The command so far, and its words.
    private var command: CommandSpec
    private var path: [String]
    private var operands: [String] = []
    private var values: [String: [String]] = [:]

    enum Result {
        case run(CommandSpec, path: [String], operands: [String], values: [String: [String]])
        case help(CommandSpec, path: [String])
    }

    /// `words` are the arguments without the program's own name.
    static func parse(
        _ words: [String], root: CommandSpec
    ) throws(CommandFailure) -> Result {
        var parser = CommandParser(root: root, words: words)
        return try parser.parse()
    }

    private init(root: CommandSpec, words: [String]) {
        self.root = root
        self.words = words
        command = root
        path = [root.name]
    }

    private mutating func parse() throws(CommandFailure) -> Result {
        if words.first == "help" { return try helpCommand() }
        var areOptionsOver = false
        while position < words.count {
            let word = words[position]
            position += 1
            if !areOptionsOver, word == "--" {
                areOptionsOver = true
            } else if !areOptionsOver, word.hasPrefix("-"), word != "-" {
                try option(word)
            } else if command.run == nil {
                try descend(word)
            } else {
                operands.append(word)
            }
        }
        if values[OptionSpec.help.name] != nil { return .help(command, path: path) }
        guard command.run != nil else {
            if command.name == root.name { return .help(root, path: path) }
            let names = command.subcommands.map(\.name).joined(separator: ", ")
            throw usage("which one? \(names)")
        }
        try checkOperands()
        for option in command.options where option.isRequired && values[option.name] == nil {
            throw usage("--\(option.name) \(option.value ?? "") is required")
        }
        return .run(command, path: path, operands: operands, values: values)
    }

    /// `help`, `help task`, `help task list`.
    private mutating func helpCommand() throws(CommandFailure) -> Result {
        for word in words.dropFirst() where !word.hasPrefix("-") { try descend(word) }
        return .help(command, path: path)
    }

    private mutating func descend(_ word: String) throws(CommandFailure) {
        guard let next = command.subcommand(word) else {
            var message = "unknown command \"\(word)\""
            let names = command.subcommands.map(\.name)
            if let nearest = Spelling.nearest(to: word, among: names) {
                message += "; did you mean \"\(nearest)\"?"
            }
            throw usage(message)
        }
        command = next
        path.append(word)
    }

    private mutating func option(_ word: String) throws(CommandFailure) {
        var name = word
        var value: String?
        if word.hasPrefix("--") {
            if let equals = word.firstIndex(of: "=") {
                name = String(word[..<equals])
                value = String(word[word.index(after: equals)...])
            }
        } else if word.count > 2 {
            name = String(word.prefix(2))
            value = String(word.dropFirst(2))
        }
        // Before the command is known only the common options can be told apart.
        guard let option = command.option(name) else { throw unknownOption(name) }
        guard option.value != nil else {
            guard value == nil else { throw usage("\(name) takes no value") }
            values[option.name] = [""]
            return
        }
        let given: String
        if let value { given = value } else { given = try nextValue(of: name, option) }
        if !option.isRepeated, let earlier = values[option.name]?.first, earlier != given {
            throw usage("\(name) is given twice, as \"\(earlier)\" and as \"\(given)\"")
        }
        if option.isRepeated {
            values[option.name, default: []].append(given)
        } else {
            values[option.name] = [given]
        }
    }

    /// A word that is an option itself is no value: `--payload --wait` lacks one.
    private mutating func nextValue(
        of name: String, _ option: OptionSpec
    ) throws(CommandFailure) -> String {
        guard position < words.count, command.option(words[position]) == nil else {
            throw usage("\(name) needs a value: \(name) \(option.value ?? "")")
        }
        position += 1
        return words[position - 1]
    }

    private func unknownOption(_ name: String) -> CommandFailure {
        var message = "unknown option \(name)"
        let names = command.allOptions.map { "--" + $0.name }
        if let nearest = Spelling.nearest(to: name, among: names) {
            message += "; did you mean \(nearest)?"
        }
        return usage(message)
    }

    private func checkOperands() throws(CommandFailure) {
        let least = command.operands.filter { !$0.isOptional }.count
        if operands.count < least {
            throw usage("\(command.operands[operands.count].name) is missing")
        }
        if operands.count > command.operands.count,
            !(command.operands.last?.isRepeated ?? false)
        {
            throw usage("unexpected argument \"\(operands[command.operands.count])\"")
        }
    }

    private func usage(_ message: String) -> CommandFailure {
        let words = path.joined(separator: " ")
        return .usage(
            "\(message)\n  usage: \(CommandHelp.usageLine(command, path: path))"
                + "\n  more:  \(words) --help")
    }
}
