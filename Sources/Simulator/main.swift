import Glibc

switch Options.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let options) where options.isShard:
    ShardLoop(options: options).run()
case .run(let options):
    exit(Campaign(options: options).run())
case .help:
    print(Options.help)
case .wrong(let reason):
    StandardOutput.writeError("Simulator: \(reason)\n\(Options.help)\n")
    exit(2)
}
