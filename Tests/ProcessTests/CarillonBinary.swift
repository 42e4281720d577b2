import Foundation

/// The executable under test: `CARILLON_BINARY`, or the one that was built together with the tests.
enum CarillonBinary {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// Where what was built together with the tests lies.
    static var folder: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    static func path() throws -> String {
        let environment = ProcessInfo.processInfo.environment["CARILLON_BINARY"]
        let path =
            environment ?? folder + "/carillon"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(
                description: "no executable at \(path); swift build, or set CARILLON_BINARY")
        }
        return path
    }
}
