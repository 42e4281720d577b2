import Glibc

switch Options.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let options):
    exit(Campaign(options: options).run())
case .help:
    print(Options.help)
case .wrong(let reason):
    var message = "Simulator: \(reason)\n\(Options.help)\n"
    message.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(2)
}
