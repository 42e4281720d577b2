import Glibc
import Raft
import Scheduler
import Testing

@testable import Node

struct DataDirectoryTests {
    private func open(
        _ scratch: ScratchFolder, cluster: String = "demo", node: NodeID = "n1",
        directory: UInt64 = 0xAB
    ) throws(StorageError) -> DataDirectory {
        try DataDirectory(
            root: scratch.path + "/data/deep", cluster: cluster, node: node,
            newNumber: directory)
    }

    private func incarnation(_ directory: UInt64, _ start: UInt64) -> UInt64 {
        Incarnation.number(directory: directory, start: start)
    }

    @Test func everyOpeningHasAHigherIncarnation() throws {
        let scratch = try ScratchFolder()
        for start in 1...4 as ClosedRange<UInt64> {
            #expect(try open(scratch).incarnation == incarnation(0xAB, start))
        }
        // Another node in the same root counts for itself.
        #expect(try open(scratch, node: "n2").incarnation == incarnation(0xAB, 1))
    }

    @Test func aNewDirectoryIsAnotherNode() throws {
        let scratch = try ScratchFolder()
        let first = try open(scratch, directory: 7)
        #expect(first.id == NodeID("n1", directory: 7))
        #expect(first.incarnation == incarnation(7, 1))
        let other = try ScratchFolder()
        #expect(try open(other, directory: 8).incarnation == incarnation(8, 1))
        let again = try open(other, directory: 9)
        #expect(again.id == NodeID("n1", directory: 8))
        #expect(again.incarnation == incarnation(8, 2))
        let numbers = Set((0..<20).map { _ in DataDirectory.drawNumber() })
        #expect(numbers.count == 20 && !numbers.contains(0))
    }

    @Test func aSecondProcessIsRefused() throws {
        let scratch = try ScratchFolder()
        let first = try open(scratch)
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        #expect(
            error == .inUse(path: first.folder.path, processID: getpid()))
        #expect(error?.description.contains("\(getpid())") == true)
        withExtendedLifetime(first) {}
    }

    @Test func aForeignDirectoryIsRefused() throws {
        let scratch = try ScratchFolder()
        _ = try open(scratch)
        let cluster = #expect(throws: StorageError.self) {
            try open(scratch, cluster: "other")
        }
        #expect(cluster?.description.contains("node n1 of cluster demo") == true)
        #expect(cluster?.description.contains("node n1 of cluster other") == true)
        let root = StorageFolder(path: scratch.path + "/data/deep")
        try root.rename("n1", to: "n2")
        let node = #expect(throws: StorageError.self) { try open(scratch, node: "n2") }
        guard case .foreign = node else {
            Issue.record("\(String(describing: node))")
            return
        }
    }

    @Test func aDamagedIdentityIsRefused() throws {
        let scratch = try ScratchFolder()
        _ = try open(scratch)
        let file = "data/deep/n1/identity"
        let good = try scratch.bytes(of: file)
        for position in good.indices {
            var bytes = good
            bytes[position] ^= 1
            try scratch.write(bytes, to: file)
            #expect(throws: StorageError.self, "byte \(position)") { try open(scratch) }
        }
        try scratch.write(Array(good.dropLast()), to: file)
        #expect(throws: StorageError.self) { try open(scratch) }
        try scratch.write(good, to: file)
        #expect(try open(scratch).incarnation == incarnation(0xAB, 2))
    }

    @Test func anUnknownFormatVersionIsNamed() throws {
        let scratch = try ScratchFolder()
        _ = try open(scratch)
        let file = "data/deep/n1/identity"
        let text = String(decoding: try scratch.bytes(of: file), as: UTF8.self)
        let newer = "carillon-data 2" + text.dropFirst("carillon-data 1".count)
        try scratch.write(Array(newer.utf8), to: file)
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        #expect(
            error
                == .unsupportedVersion(
                    path: scratch.path + "/" + file, found: "2", supported: "1"))
    }

    @Test func dataWithoutAnIdentityIsRefused() throws {
        let scratch = try ScratchFolder()
        _ = try open(scratch)
        try scratch.write([1], to: "data/deep/n1/log/segment-0000000000000001")
        try scratch.remove("data/deep/n1/identity")
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        guard case .missing = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aLeftOverTemporaryIdentityIsIgnored() throws {
        let scratch = try ScratchFolder()
        _ = try open(scratch)
        try scratch.write([1, 2, 3], to: "data/deep/n1/identity.new")
        let directory = try open(scratch)
        #expect(directory.incarnation == incarnation(0xAB, 2))
        #expect(try directory.folder.names() == ["identity", "lock", "log", "snapshots"])
    }

    @Test(arguments: ["", ".", "..", ".hidden", "a/b", "a\nb", "a\u{0}b"])
    func namesThatAreNoFileNamesAreRefused(name: String) throws {
        let scratch = try ScratchFolder()
        #expect(throws: StorageError.self) { try open(scratch, node: NodeID(name)) }
        #expect(throws: StorageError.self) { try open(scratch, cluster: name) }
    }

    @Test func anErrorOfTheSystemNamesPathAndCause() throws {
        let scratch = try ScratchFolder()
        try scratch.write([], to: "data")
        let error = #expect(throws: StorageError.self) { try open(scratch) }
        guard case .system(_, let path, let errno) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.hasPrefix(scratch.path + "/data"))
        #expect(errno == ENOTDIR)
    }

    /// The operator made the directory for the node's user, in one that only its owner may read.
    @Test func theParentOfTheRootNeedNotBeReadable() throws {
        let scratch = try ScratchFolder()
        let system = FileSystemWithForeignDirectory(path: scratch.path, errno: EACCES)
        try system.createDirectory(scratch.path + "/data")
        let root = scratch.path + "/data"
        let opened = try DataDirectory(root: root, cluster: "demo", node: "n1", system: system)
        #expect(opened.incarnation & 0xffff_ffff == 1)
    }

    @Test func aParentOnADiskThatFailsIsNotPassedOver() throws {
        let scratch = try ScratchFolder()
        let system = FileSystemWithForeignDirectory(path: scratch.path, errno: EIO)
        try system.createDirectory(scratch.path + "/data")
        #expect(throws: StorageError.system(operation: "sync", path: scratch.path, errno: EIO)) {
            try DataDirectory(
                root: scratch.path + "/data", cluster: "demo", node: "n1", system: system)
        }
    }
}

/// This machine's, but for one directory that can't be synced.
private struct FileSystemWithForeignDirectory: FileSystem {
    let path: String
    let errno: Int32
    private let local = LocalFileSystem()

    init(path: String, errno: Int32) {
        (self.path, self.errno) = (path, errno)
    }

    var processID: Int32 { local.processID }

    func open(_ path: String, mode: StorageFile.Mode) throws(StorageError) -> any OpenFile {
        try local.open(path, mode: mode)
    }

    func exists(_ path: String) -> Bool { local.exists(path) }

    func createDirectory(_ path: String) throws(StorageError) { try local.createDirectory(path) }

    func names(in directory: String) throws(StorageError) -> [String] {
        try local.names(in: directory)
    }

    func rename(_ path: String, to target: String) throws(StorageError) {
        try local.rename(path, to: target)
    }

    func remove(_ path: String) throws(StorageError) { try local.remove(path) }

    func syncDirectory(_ path: String) throws(StorageError) {
        guard path != self.path else {
            throw .system(operation: "sync", path: path, errno: errno)
        }
        try local.syncDirectory(path)
    }
}
