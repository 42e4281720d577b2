/// One word of the command line and what may follow it. The whole tool is a tree of these values, from
/// which parsing, help and suggestions are derived.
struct CommandSpec: Sendable {
    let name: String
    /// One line, lower case, without a full stop.
    let summary: String
    /// Further lines for the command's own help.
    var details: [String] = []
    var operands: [OperandSpec] = []
    var options: [OptionSpec] = []
    /// Whether the command talks to a cluster, and so takes the common options.
    var usesCluster = true
    var examples: [String] = []
    var subcommands: [CommandSpec] = []
    /// nil for a group of commands.
    var run: Run?

    /// Returns the exit status.
    typealias Run = @Sendable (Invocation) throws(CommandFailure) -> Int32

    func subcommand(_ name: String) -> CommandSpec? {
        subcommands.first { $0.name == name }
    }

    /// Every option that may stand after the command's name.
    var allOptions: [OptionSpec] {
        options + (usesCluster ? OptionSpec.common : []) + [OptionSpec.help]
    }

    func option(_ spelling: String) -> OptionSpec? {
        allOptions.first { "--" + $0.name == spelling || $0.short.map { "-" + $0 } == spelling }
    }
}

/// A word that stands for itself, such as a task's id.
struct OperandSpec: Sendable {
    let name: String
    var isOptional = false
    /// Takes all the remaining words.
    var isRepeated = false

    /// As it stands in the usage line.
    var usage: String {
        let word = isRepeated ? name + "…" : name
        return isOptional ? "[\(word)]" : word
    }
}

struct OptionSpec: Sendable {
    let name: String
    var short: String?
    /// What stands for the value in the help; nil: the option is a switch.
    var value: String?
    let summary: String
    /// The words that its value can be, where there are few and `value` does not say them: for completion.
    var words: [String] = []
    var isRepeated = false
    var isRequired = false

    static let help = OptionSpec(name: "help", short: "h", summary: "show this help")

    static let common = [
        OptionSpec(
            name: "server", value: "URL[,URL…]",
            summary: "nodes to ask, in turn (CARILLON_SERVER; default http://127.0.0.1:7201)"),
        OptionSpec(
            name: "token", value: "TOKEN",
            summary: "for a proxy in front of the nodes (CARILLON_TOKEN)"),
        OptionSpec(
            name: "namespace", value: "NAME",
            summary: "whose tasks, queues, schedules and templates (CARILLON_NAMESPACE; default)"),
        OptionSpec(
            name: "output", short: "o", value: "table|json",
            summary: "default: table on a terminal, json otherwise"),
    ]
}
