import Foundation

/// The executable under test: `CARILLON_BINARY`, or the one that was built together with the tests.
enum CarillonBinary {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static func path() throws -> String {
        let environment = ProcessInfo.processInfo.environment["CARILLON_BINARY"]
        let path =
            environment
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("carillon").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(
                description: "no executable at \(path); swift build, or set CARILLON_BINARY")
        }
        return path
    }
}
