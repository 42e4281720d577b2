import Glibc

/// The entry of the `carillon` executable.
public enum CommandLineTool {
    /// Runs the command that the process was started with, and ends the process with its exit status: 0 done,
    /// 1 refused or failed, 2 wrong usage.
    public static func main() -> Never {
        exit(run(Array(CommandLine.arguments.dropFirst()), console: Console()))
    }

    /// Returns the exit status.
    static func run(_ words: [String], console: Console) -> Int32 {
        do throws(CommandFailure) {
            let isVersion = words.first == "--version" || words.first == "-V"
            switch try CommandParser.parse(isVersion ? ["version"] : words, root: CommandTree.root)
            {
            case .help(let command, let path):
                console.write(CommandHelp.text(command, path: path))
                return 0
            case .run(let command, let path, let operands, let values):
                guard let run = command.run else { return 0 }
                let invocation = Invocation(
                    path: path, operands: operands, values: values, console: console)
                // Before anything is done that can't be shown then.
                _ = try invocation.askedOutput()
                return try run(invocation)
            }
        } catch {
            console.printError("carillon: \(error.message)")
            return error.exitStatus
        }
    }
}
