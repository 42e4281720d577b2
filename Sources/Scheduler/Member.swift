/// Who shall vote, as the operator wants it. How the cluster gets there is Raft's business.
public struct Member: Equatable, Sendable {
    public var name: String
    /// The data directory's number. With another directory the same name is another node.
    public var directory: UInt64
    /// Where the node was reached when it was taken in: how the others find it before it has announced itself.
    public var peer: String
    public var api: String

    public init(name: String, directory: UInt64, peer: String, api: String) {
        self.name = name
        self.directory = directory
        self.peer = peer
        self.api = api
    }
}

/// What a member says of itself; said again whenever it has changed.
public struct NodeRecord: Equatable, Sendable {
    public var name: String
    public var directory: UInt64
    public var peer: String
    public var api: String
    /// The highest state version its program can apply.
    public var stateVersion: UInt32

    public init(name: String, directory: UInt64, peer: String, api: String, stateVersion: UInt32) {
        self.name = name
        self.directory = directory
        self.peer = peer
        self.api = api
        self.stateVersion = stateVersion
    }
}

extension Member {
    /// name string · directory u64 · peer string · api string
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(directory)
        writer.put(peer)
        writer.put(api)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.name("member")
        directory = try reader.uint64()
        peer = try reader.address()
        api = try reader.address()
    }
}

extension NodeRecord {
    /// name string · directory u64 · peer string · api string · stateVersion u32
    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(directory)
        writer.put(peer)
        writer.put(api)
        writer.put(stateVersion)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.name("node")
        directory = try reader.uint64()
        peer = try reader.address()
        api = try reader.address()
        stateVersion = try reader.uint32()
    }
}

extension ByteReader {
    fileprivate mutating func address() throws(CodecError) -> String {
        let text = try string()
        guard text.utf8.count <= Limits.maxAddressBytes else {
            throw CodecError("an address of \(text.utf8.count) bytes is not allowed")
        }
        return text
    }
}
