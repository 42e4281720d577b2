import Glibc
import Testing

@testable import Node

struct StorageFileTests {
    @Test func bytesComeBackFromTheirOffsets() throws {
        let scratch = try ScratchFolder()
        let file = try scratch.folder.open("f", mode: .create)
        try file.write([1, 2, 3, 4], range: 1..<3, at: 10)
        try file.sync()
        #expect(try file.sizeBytes() == 12)
        #expect(try file.read(count: 100, at: 9) == [0, 2, 3])
        #expect(try file.read(count: 2, at: 50) == [])
        try file.fillWithZeros(0..<3_000, syncEveryBytes: 1_024)
        #expect(try file.read(count: 4_000, at: 0) == [UInt8](repeating: 0, count: 3_000))
        try file.truncate(toBytes: 1)
        #expect(try file.sizeBytes() == 1)
    }

    @Test func fillingWithZerosCanBeBrokenOff() throws {
        let scratch = try ScratchFolder()
        let file = try scratch.folder.open("f", mode: .create)
        var steps = 0
        let isFilled = try file.fillWithZeros(0..<3_000, syncEveryBytes: 1_000) {
            steps += 1
            return steps < 2
        }
        #expect(!isFilled)
        #expect(try file.sizeBytes() == 2_000)
    }

    @Test func modesSayWhatMayExist() throws {
        let scratch = try ScratchFolder()
        let path = scratch.folder.path(of: "f")
        for mode in [StorageFile.Mode.read, .readWrite] {
            #expect(throws: StorageError.system(operation: "open", path: path, errno: ENOENT)) {
                try scratch.folder.open("f", mode: mode)
            }
        }
        try scratch.folder.open("f", mode: .openOrCreate).write([1], at: 0)
        #expect(throws: StorageError.system(operation: "open", path: path, errno: EEXIST)) {
            try scratch.folder.open("f", mode: .create)
        }
        #expect(try scratch.folder.open("f", mode: .openOrCreate).sizeBytes() == 1)
        #expect(try scratch.folder.open("f", mode: .replace).sizeBytes() == 0)
    }

    @Test func aWriteToAFileOpenedForReadingFails() throws {
        let scratch = try ScratchFolder()
        try scratch.write([1], to: "f")
        let file = try scratch.folder.open("f", mode: .read)
        #expect(
            throws: StorageError.system(operation: "write", path: file.path, errno: EBADF)
        ) { try file.write([2], at: 0) }
    }

    @Test func foldersAreCreatedListedAndReplaced() throws {
        let scratch = try ScratchFolder()
        let folder = StorageFolder(path: scratch.path + "/a/b/c")
        try folder.create()
        try folder.create()
        #expect(try folder.names() == [])
        try folder.replace("x", with: [1])
        try folder.replace("x", with: [2, 3])
        #expect(try folder.names() == ["x"])
        #expect(try scratch.bytes(of: "a/b/c/x") == [2, 3])
        try folder.rename("x", to: "y")
        try folder.sync()
        #expect(try folder.names() == ["y"])
        try folder.remove("y")
        #expect(throws: StorageError.self) { try folder.remove("y") }
        #expect(throws: StorageError.self) {
            try StorageFolder(path: scratch.path + "/none").names()
        }
    }
}
