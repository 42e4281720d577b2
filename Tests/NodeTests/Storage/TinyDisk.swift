import Foundation

@testable import Node

/// A file system in memory that is soon full. Needs the right to mount.
final class TinyDisk {
    let scratch: ScratchFolder

    static let isPermitted: Bool = (try? TinyDisk(kibibytes: 64)) != nil

    init(kibibytes: Int) throws {
        scratch = try ScratchFolder()
        try Self.run(
            "mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", scratch.path)
    }

    func resize(kibibytes: Int) throws {
        try Self.run("mount", "-o", "remount,size=\(kibibytes)k", scratch.path)
    }

    deinit {
        try? Self.run("umount", "-l", scratch.path)
    }

    struct Refused: Error {}

    private static func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Refused() }
    }
}
