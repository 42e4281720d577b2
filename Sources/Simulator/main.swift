import Glibc

switch Options.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let options):
    exit(Campaign(options: options).run())
case .help:
    print(Options.help)
case .wrong(let reason):
    fputs("Simulator: \(reason)\n\(Options.help)\n", stderr)
    exit(2)
}
