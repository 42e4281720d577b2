import Testing

/// The walls between the parts, and rules for every source file.
struct StructureTests {
    let tree: SourceTree

    init() throws {
        tree = try SourceTree()
        try #require(tree.files.count > 20, "the sources were not found")
    }

    // MARK: Imports

    @Test(arguments: ["Raft/", "Scheduler/"])
    func `the pure cores import nothing`(folder: String) {
        expectImports(in: folder, among: [])
    }

    @Test func `the replica imports only the cores`() {
        expectImports(in: "Node/Replica/", among: ["Raft", "Scheduler"])
    }

    @Test func `the shell imports the system and the cores`() {
        expectImports(
            in: "Node/",
            among: [
                "Raft", "Scheduler", "CLinux", "Glibc", "Synchronization", "Foundation",
                "FoundationEssentials", "FoundationNetworking", "Dispatch",
            ])
    }

    @Test func `the executables import no more than they need`() {
        expectImports(in: "carillon/", among: ["Node"])
        expectImports(in: "CarillonWorker/", among: ["Node", "Foundation", "Synchronization"])
        expectImports(in: "Benchmark/", among: ["Node", "CAllocationCount"])
        expectImports(
            in: "Simulator/", among: ["Raft", "Scheduler", "Node", "Glibc", "Synchronization"])
    }

    private func expectImports(in folder: String, among allowed: Set<String>) {
        let files = tree.files.filter { $0.path.hasPrefix(folder) }
        #expect(!files.isEmpty, "no files in \(folder)")
        for file in files {
            for (number, module) in file.imports where !allowed.contains(module) {
                Issue.record("Sources/\(file.path):\(number) imports \(module)")
            }
        }
    }

    // MARK: Words

    /// What may not stand in any source, and why.
    private static let banned = [
        ("try!", "an error that ends the process says nothing to the user"),
        ("as!", "a wrong cast ends the process"),
        ("Task {", "nothing waits for such a task, and nobody hears its error"),
        ("Task.detached", "nothing waits for such a task, and nobody hears its error"),
        ("fatalError(", "throw for operating errors, use precondition for broken invariants"),
    ]

    @Test func `no source holds a banned word`() {
        for file in tree.files {
            for line in file.lines {
                // A group waits for its tasks.
                let code = line.code.replacing("group.addTask {", with: "")
                for (word, reason) in Self.banned where code.contains(word) {
                    Issue.record("Sources/\(file.path):\(line.number) has \(word): \(reason)")
                }
                for word in ["TO" + "DO", "FIX" + "ME"] where line.text.contains(word) {
                    Issue.record("Sources/\(file.path):\(line.number) has \(word)")
                }
            }
        }
    }

    // MARK: Unsafe code

    /// The files that hand memory to system calls or lay bytes out by hand. Each says why it is sound.
    private static let unsafeFiles: Set<String> = [
        "Node/CommandLine/ClientSocket.swift",
        "Node/CommandLine/Console.swift",
        "Node/CommandLine/InputFile.swift",
        "Node/HTTP/ByteSpan.swift",
        "Node/HTTP/HTTPRequest.swift",
        "Node/HTTP/HTTPServer.swift",
        "Node/Loop/Connection.swift",
        "Node/Loop/Endpoint.swift",
        "Node/Loop/Listener.swift",
        "Node/Loop/Loop.swift",
        "Node/Loop/OutputQueue.swift",
        "Node/Loop/Socket.swift",
        "Node/Loop/SocketAddress.swift",
        "Node/Storage/AlignedBuffer.swift",
        "Node/Storage/BlockWindow.swift",
        "Node/Storage/BlockingQueue.swift",
        "Node/Storage/CRC32C.swift",
        "Node/Storage/DirectFile.swift",
        "Node/Storage/GroupEncoder.swift",
        "Node/Storage/LocalFile.swift",
        "Node/Storage/LocalFileSystem.swift",
        "Node/Storage/PayloadMask.swift",
        "Node/Storage/SegmentHeader.swift",
        "Node/Storage/SegmentImage.swift",
        "Node/Worker/ProcessPipe.swift",
        "Node/Worker/SpawnedProcess.swift",
        "Scheduler/Bytes.swift",
        "Scheduler/BinaryHeap.swift",
        "Scheduler/Scheduler+Submit.swift",
        "Simulator/Shard.swift",
        "Simulator/StandardOutput.swift",
        "Scheduler/StableHash.swift",
    ]

    @Test func `unsafe code stands in few, known files`() {
        for file in tree.files where !Self.unsafeFiles.contains(file.path) {
            let numbers = file.lines.filter(Self.isUnsafe).map { String($0.number) }
            if !numbers.isEmpty {
                Issue.record(
                    "Sources/\(file.path) has unsafe code: \(numbers.joined(separator: ", "))")
            }
        }
    }

    private static func isUnsafe(_ line: SourceTree.Line) -> Bool {
        ["Unsafe", "unsafe", "@unchecked"].contains { line.code.contains($0) }
    }

    @Test func `the list of files with unsafe code is true`() {
        for path in Self.unsafeFiles.sorted() {
            let file = tree.files.first { $0.path == path }
            let isUnsafe = file?.lines.contains(where: Self.isUnsafe)
            #expect(isUnsafe == true, "Sources/\(path) has none, or is gone")
        }
    }

    // MARK: Size

    private static let maxFileLines = 400
    private static let maxFunctionLines = 70

    @Test(arguments: ["Sources", "Tests"])
    func `no file has more than 400 lines, no function more than 70`(folder: String) throws {
        let tree = try SourceTree(folder: folder)
        try #require(tree.files.count > 20, "the files were not found")
        for file in tree.files {
            // Behind the last line's end there is an empty one.
            if file.lines.count > Self.maxFileLines + 1 {
                Issue.record("\(folder)/\(file.path) has \(file.lines.count - 1) lines")
            }
            for (number, count) in file.functions where count > Self.maxFunctionLines {
                Issue.record("\(folder)/\(file.path):\(number) has \(count) lines")
            }
        }
    }

    // MARK: The checks themselves

    @Test func `imports are found in all their forms, and comments are not taken for them`() {
        let text = """
            import Glibc
            @preconcurrency public import Foundation
            import struct Synchronization.Mutex
            // import Raft
            let link = "https://example.com" // import Scheduler
            """
        let file = SourceTree.File(path: "x", lines: SourceTree.lines(of: text))
        #expect(file.imports.map(\.module) == ["Glibc", "Foundation", "Synchronization"])
        #expect(file.lines[4].code.hasSuffix("\" "))
    }

    @Test func `functions are measured from their first line to their closing brace`() {
        let text = """
            protocol Sized {
                func size() -> Int
            }
            struct Box: Sized {
                init?(
                    _ text: String
                ) {
                    if text.isEmpty { return nil }
                }

                @inline(never) func size() -> Int {
                    func inner() -> Int {
                        1
                    }
                    return inner()
                }
                func short() { init(1) }
                deinit {
                }
            }
            """
        let file = SourceTree.File(path: "x", lines: SourceTree.lines(of: text))
        #expect(file.functions.map(\.number) == [5, 11, 12, 18])
        #expect(file.functions.map(\.lines) == [5, 6, 3, 2])
    }
}
