import Foundation

@testable import Node

/// A directory of one test, removed with everything in it.
final class ScratchFolder: Sendable {
    let folder: StorageFolder

    init() throws {
        let path =
            FileManager.default.temporaryDirectory.path
            + "/carillon-test-\(UUID().uuidString)"
        folder = StorageFolder(path: path)
        try folder.create()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    var path: String { folder.path }

    func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path(of: name))))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path(of: name)))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: folder.path(of: name))
    }
}
