/// What an attempt left in a result store, as its worker's node reports it: too large for the state.
///
/// ```
/// output  bytes u64 · checksum 32 bytes · node string
/// ```
public struct StoredOutput: Equatable, Sendable {
    public var bytes: UInt64
    /// SHA-256.
    public var checksum: [UInt8]
    /// Which node keeps it in its directory; empty: every node reaches it.
    public var node: String

    public init(bytes: UInt64, checksum: [UInt8], node: String) {
        self.bytes = bytes
        self.checksum = checksum
        self.node = node
    }

    var isAcceptable: Bool {
        checksum.count == Limits.checksumBytes && bytes <= Limits.maxStoredResultBytes
            && node.utf8.count <= Limits.maxNameBytes
    }
}

/// A result in a store, and the attempt that made it, by which it is found there.
///
/// ```
/// stored  task u64 · attempt u32 · fence u64 · output
/// ```
public struct StoredResult: Equatable, Sendable {
    public var task: TaskID
    public var attempt: UInt32
    public var fence: UInt64
    public var output: StoredOutput

    public init(task: TaskID, attempt: UInt32, fence: UInt64, output: StoredOutput) {
        self.task = task
        self.attempt = attempt
        self.fence = fence
        self.output = output
    }

    /// What stands for the result where only a small one can stand: among the inputs of successors.
    var reference: [UInt8] {
        var checksum = ""
        for byte in output.checksum {
            checksum += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return Array(
            """
            {"storedResult":{"task":"\(task)","bytes":\(output.bytes),"sha256":"\(checksum)"}}
            """.utf8)
    }
}

/// That an attempt left a log, and where.
///
/// ```
/// log  attempt u32 · fence u64 · bytes u32 · node string
/// ```
public struct AttemptLog: Equatable, Sendable {
    public var attempt: UInt32
    public var fence: UInt64
    public var bytes: UInt32
    /// As in `StoredOutput`.
    public var node: String

    public init(attempt: UInt32, fence: UInt64, bytes: UInt32, node: String) {
        self.attempt = attempt
        self.fence = fence
        self.bytes = bytes
        self.node = node
    }
}

extension StoredOutput {
    func encode(into writer: inout ByteWriter) {
        writer.put(bytes)
        writer.putRaw(checksum)
        writer.put(node)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        bytes = try reader.uint64()
        checksum = try reader.raw(Limits.checksumBytes)
        node = try reader.string()
        guard isAcceptable else {
            throw CodecError("a stored result of \(bytes) bytes is too large")
        }
    }
}

extension StoredResult {
    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        writer.put(attempt)
        writer.put(fence)
        output.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        attempt = try reader.uint32()
        fence = try reader.uint64()
        output = try StoredOutput(from: &reader)
    }
}

extension AttemptLog {
    func encode(into writer: inout ByteWriter) {
        writer.put(attempt)
        writer.put(fence)
        writer.put(bytes)
        writer.put(node)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        attempt = try reader.uint32()
        fence = try reader.uint64()
        bytes = try reader.uint32()
        node = try reader.string()
        guard node.utf8.count <= Limits.maxNameBytes else {
            throw CodecError("a node's name of \(node.utf8.count) bytes is too long")
        }
    }
}
